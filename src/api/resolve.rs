//! From what was said to what is meant: a pure function of the request, the presets and chance.

use serde_json::Value;

use super::Chance;
use super::actions::GenerateRequest;
use super::draft::Draft;
use super::fields::Int;
use super::loras::{self, Place};
use super::notes::Notes;
use super::strict_json::shorten;
use super::watermark;
use crate::error::{ApiError, Code};
use crate::plan::{
    Algorithm, CharacterRights, Credentials, DEFAULT_SIZE, Format, Output, SIZES, SamplerKind, Sampling,
    Size, samplers,
};
use crate::presets::{Character, Model, Presets, Style, Viewer};
use crate::prompt::{self, Composed, ParsedPrompt, Parts, PromptError};

/// Characters that `prompt` and `negative` may have.
const LONGEST_PROMPT: usize = 4_000;
/// Characters that every other text may have; `wm_image` is bounded by the body.
const LONGEST_TEXT: usize = 1_000;
/// Bytes of `metadata` as JSON.
const LARGEST_METADATA_BYTES: usize = 4096;
/// Text that a message quotes at most.
const LONGEST_QUOTE: usize = 40;

/// Applies presets, defaults, fallbacks and bounds.
///
/// # Errors
/// 400: no prompt, a second character or one that is not there for this viewer and model, a text that is too long, an impossible seed, and with `strict`
/// anything that would have been a warning.
pub fn resolve(
    request: &GenerateRequest,
    presets: &Presets,
    viewer: &Viewer<'_>,
    chance: &Chance,
) -> Result<Draft, ApiError> {
    check_texts(request)?;
    let prompt = request.prompt.trim();
    let parsed = parse(prompt, presets, viewer)?;
    let mut notes = Notes::default();
    let (model_key, model) = pick_model(&request.model, presets, &mut notes)?;
    let (style_key, style) = pick_style(&request.style, model, &mut notes)?;
    let character = match &parsed.character {
        Some(name) => Some(pick_character(name, model_key, presets, viewer)?),
        None => None,
    };
    let brought = parsed.character.as_deref().zip(character.and_then(|character| character.lora.as_ref()));
    let place = Place { presets, viewer, checkpoint: &model.checkpoint };
    let loras = loras::pick(&request.loras, brought, place, &mut notes)?;
    let composed = compose(&parsed, character, model, style, &request.negative);
    let size = pick_size(request, &mut notes);
    let sampling = pick_sampling(request, model, chance.seed, &mut notes)?;
    let output = pick_output(request, &mut notes);
    let watermark = watermark::pick(request, &mut notes);
    let credentials = pick_credentials(request);
    Ok(Draft {
        composed,
        gen_id: chance.gen_id.clone(),
        asked_at_unix_s: chance.now_unix_s,
        prompt: prompt.to_owned(),
        original_prompt: None,
        character_rights: character.map(rights),
        character: parsed.character,
        model: model_key.to_owned(),
        style: style_key.to_owned(),
        checkpoint: model.checkpoint.clone(),
        vae: model.vae.clone(),
        loras,
        size,
        sampling,
        output,
        watermark,
        credentials,
        warnings: notes.finish(request.strict)?,
        metadata: request.metadata.clone().map(Value::Object),
    })
}

fn check_texts(request: &GenerateRequest) -> Result<(), ApiError> {
    let texts = [
        ("prompt", &request.prompt, LONGEST_PROMPT),
        ("negative", &request.negative, LONGEST_PROMPT),
        ("model", &request.model, LONGEST_TEXT),
        ("style", &request.style, LONGEST_TEXT),
        ("format", &request.format, LONGEST_TEXT),
        ("sampler", &request.sampler, LONGEST_TEXT),
        ("wm_image", &request.wm_image, usize::MAX),
        ("wm_position", &request.wm_position, LONGEST_TEXT),
        ("cs_author", &request.cs_author, LONGEST_TEXT),
        ("cs_title", &request.cs_title, LONGEST_TEXT),
        ("cs_description", &request.cs_description, LONGEST_TEXT),
        ("cs_organization", &request.cs_organization, LONGEST_TEXT),
        ("cs_vendor", &request.cs_vendor, LONGEST_TEXT),
    ];
    for (field, text, longest) in texts {
        // A character has at least one byte, so short texts need no count.
        if text.len() > longest && text.chars().count() > longest {
            return Err(ApiError::invalid_field(field, format!("at most {longest} characters are allowed")));
        }
        if text.contains('\0') {
            return Err(ApiError::invalid_field(field, "the character U+0000 is not allowed"));
        }
    }
    let metadata_bytes =
        request.metadata.as_ref().map_or(0, |map| Value::Object(map.clone()).to_string().len());
    if metadata_bytes > LARGEST_METADATA_BYTES {
        let message =
            format!("at most {LARGEST_METADATA_BYTES} bytes of JSON are allowed, not {metadata_bytes}");
        return Err(ApiError::invalid_field("metadata", message));
    }
    Ok(())
}

fn parse(prompt: &str, presets: &Presets, viewer: &Viewer<'_>) -> Result<ParsedPrompt, ApiError> {
    let known = |name: &str| presets.character(name, viewer).is_some();
    prompt::parse(prompt, &known).map_err(|error| match error {
        PromptError::Empty => ApiError::new(Code::PromptRequired).with("field", "prompt"),
        PromptError::TwoCharacters(one, two) => {
            ApiError::new(Code::OnlyOneCharacter).with("field", "prompt").with("characters", vec![one, two])
        }
        PromptError::UnknownCharacter(name) => invalid_character(&name),
    })
}

fn invalid_character(name: &str) -> ApiError {
    ApiError::new(Code::InvalidCharacter).with("field", "prompt").with("character", shorten(name))
}

/// The character that the viewer may use, if it is there for the model.
fn pick_character<'a>(
    name: &str,
    model: &str,
    presets: &'a Presets,
    viewer: &Viewer<'_>,
) -> Result<&'a Character, ApiError> {
    let character = presets.character(name, viewer).ok_or_else(|| invalid_character(name))?;
    if !character.is_on(model) {
        let models = character.models.clone().unwrap_or_default();
        return Err(invalid_character(name).with("model", model).with("models", models));
    }
    Ok(character)
}

fn compose(
    parsed: &ParsedPrompt,
    character: Option<&Character>,
    model: &Model,
    style: &Style,
    negative: &str,
) -> Composed {
    prompt::compose(&Parts {
        trigger: character.map_or("", |character| &character.trigger),
        character_positive: character.map_or("", |character| &character.positive),
        prompt: &parsed.positive,
        style_positive: &style.positive,
        base_negative: &model.negative,
        style_negative: &style.negative,
        character_negative: character.map_or("", |character| &character.negative),
        prompt_negative: &parsed.negative,
        explicit_negative: negative,
    })
}

fn pick_model<'a>(
    asked: &str,
    presets: &'a Presets,
    notes: &mut Notes,
) -> Result<(&'a str, &'a Model), ApiError> {
    if let Some((key, model)) = presets.models.get_key_value(asked) {
        return Ok((key, model));
    }
    let (key, model) = presets.default_model().ok_or(Code::Internal)?;
    if !asked.is_empty() {
        let message = format!("there is no model {}; {key} was used", quote(asked));
        notes.say("model", "MODEL_FALLBACK", message);
    }
    Ok((key, model))
}

fn pick_style<'a>(
    asked: &str,
    model: &'a Model,
    notes: &mut Notes,
) -> Result<(&'a str, &'a Style), ApiError> {
    if let Some((key, style)) = model.styles.get_key_value(asked) {
        return Ok((key, style));
    }
    let (key, style) = model.styles.get_key_value(&model.default_style).ok_or(Code::Internal)?;
    if !asked.is_empty() {
        let message = format!("the model has no style {}; {key} was used", quote(asked));
        notes.say("style", "STYLE_FALLBACK", message);
    }
    Ok((key, style))
}

/// Each side has its own default; it is the pair that must be one of the seven.
fn pick_size(request: &GenerateRequest, notes: &mut Notes) -> Size {
    let width = request.width.map_or(i64::from(DEFAULT_SIZE.width_px), |Int(width)| width);
    let height = request.height.map_or(i64::from(DEFAULT_SIZE.height_px), |Int(height)| height);
    let found = SIZES
        .into_iter()
        .find(|size| (i64::from(size.width_px), i64::from(size.height_px)) == (width, height));
    found.unwrap_or_else(|| {
        let message = format!(
            "{width}x{height} is not a valid pair; {}x{} was used",
            DEFAULT_SIZE.width_px, DEFAULT_SIZE.height_px
        );
        let field = if request.width.is_some() { "width" } else { "height" };
        notes.say(field, "SIZE_FALLBACK", message);
        DEFAULT_SIZE
    })
}

fn pick_sampling(
    request: &GenerateRequest,
    model: &Model,
    drawn: u32,
    notes: &mut Notes,
) -> Result<Sampling, ApiError> {
    let seed = match request.seed {
        None | Some(Int(-1)) => drawn,
        Some(Int(seed)) => u32::try_from(seed).map_err(|_| {
            ApiError::invalid_field("seed", format!("expected -1, null or 0 to {}", u32::MAX))
        })?,
    };
    let sampler = samplers::named(&request.sampler).unwrap_or_else(|| {
        if !request.sampler.is_empty() {
            let known = samplers::KNOWN.join(", ");
            let (asked, used) = (quote(&request.sampler), model.sampler);
            let message = format!("there is no sampler {asked}, {used} is used; known are {known}");
            notes.say("sampler", "SAMPLER_FALLBACK", message);
        }
        model.sampler
    });
    Ok(Sampling {
        sampler,
        num_inference_steps: whole(notes.clamp(
            "steps",
            request.steps,
            1..=most_steps(sampler),
            i64::from(model.num_inference_steps).min(most_steps(sampler)),
        )),
        guidance_scale: notes.clamp_real("guidance", request.guidance, 0.0..=30.0, model.guidance_scale),
        guidance_rescale: model.guidance_rescale,
        clip_skip: model.clip_skip,
        seed,
        num_images: whole(notes.clamp("num_images", request.num_images, 1..=4, 1)),
    })
}

/// A distilled checkpoint knows no more than its scheduler was distilled with; 50, unless it says otherwise.
fn most_steps(sampler: SamplerKind) -> i64 {
    if sampler == Algorithm::LCM.into() { 50 } else { 150 }
}

fn pick_output(request: &GenerateRequest, notes: &mut Notes) -> Output {
    let format = match request.format.to_ascii_lowercase().as_str() {
        "" | "jpeg" | "jpg" => Format::Jpeg,
        "png" => Format::Png,
        "webp" => Format::Webp,
        "avif" => Format::Avif,
        _ => {
            let message = format!("there is no format {}; jpeg was used", quote(&request.format));
            notes.say("format", "FORMAT_FALLBACK", message);
            Format::Jpeg
        }
    };
    if request.lossless && format == Format::Jpeg {
        notes.say("lossless", "LOSSLESS_IGNORED", "jpeg is never lossless");
    }
    Output {
        format,
        quality: whole(notes.clamp("quality", request.quality, 1..=100, 95)),
        lossless: request.lossless && format != Format::Jpeg,
    }
}

fn pick_credentials(request: &GenerateRequest) -> Credentials {
    Credentials {
        author: request.cs_author.clone(),
        title: request.cs_title.clone(),
        description: request.cs_description.clone(),
        organization: request.cs_organization.clone(),
        vendor: request.cs_vendor.clone(),
    }
}

fn rights(character: &Character) -> CharacterRights {
    CharacterRights { rights: character.rights.clone(), licence: character.licence.clone() }
}

/// A number that was clamped into a range which its type holds.
pub(super) fn whole<T: TryFrom<i64> + Default>(clamped: i64) -> T {
    T::try_from(clamped).unwrap_or_default()
}

/// A client's own word in a message, cut short.
pub(super) fn quote(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_QUOTE).collect();
    format!("`{short}{}`", if short.len() < text.len() { "…" } else { "" })
}
