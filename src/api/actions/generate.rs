//! `generate`: the front half of the story, from what was said to a plan that is safely stored.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::enhancing::Errand;
use super::super::fields::{self, Aliases, Int, present};
use super::super::loras::LoraRequest;
use super::super::reviewing::{Opinions, written};
use super::super::{Chance, Draft, Services, idempotency, resolve, tightened};
use super::{Asked, ok, spend, viewer};
use crate::compliance::Reviewed;
use crate::error::{ApiError, Code};
use crate::plan::Warning;
use crate::presets::{Model, Shelf};
use crate::store::{Attachment, NewJob, Ticket, Verdict};

/// What the client said, nothing resolved (specification, "POST generate", and the additional parameters of this
/// service). `None` and `""` mean "not said".
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GenerateRequest {
    pub prompt: String,
    pub model: String,
    pub negative: String,
    pub optimize: bool,
    #[serde(deserialize_with = "present")]
    pub width: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub height: Option<Int>,
    pub style: String,
    pub format: String,
    #[serde(deserialize_with = "present")]
    pub quality: Option<Int>,
    pub lossless: bool,
    pub wm_image: String,
    pub wm_position: String,
    #[serde(deserialize_with = "present")]
    pub wm_scale: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub wm_transparency: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub wm_rotation: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub wm_padding_x: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub wm_padding_y: Option<Int>,
    pub cs_author: String,
    pub cs_title: String,
    pub cs_description: String,
    pub cs_organization: String,
    pub cs_vendor: String,
    /// `null` and -1 draw one, as if absent.
    pub seed: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub steps: Option<Int>,
    #[serde(deserialize_with = "present")]
    pub guidance: Option<f64>,
    pub sampler: String,
    #[serde(deserialize_with = "present")]
    pub num_images: Option<Int>,
    pub loras: Vec<LoraRequest>,
    #[serde(deserialize_with = "present")]
    pub metadata: Option<Map<String, Value>>,
    pub strict: bool,
    /// What is to be treated more strictly than the service does: category and `flag` or `block`.
    #[serde(deserialize_with = "present")]
    pub compliance: Option<Map<String, Value>>,
}

/// Other names that neighbours of this API use.
pub(super) const ALIASES: Aliases = &[
    ("negative", &["negative_prompt"]),
    ("steps", &["num_inference_steps"]),
    ("guidance", &["guidance_scale", "cfg_scale"]),
    ("num_images", &["n"]),
];

/// The specification's five keys, and two more.
#[derive(Debug, Serialize)]
struct GenerateResponse {
    id: String,
    prompt: String,
    model: String,
    format: &'static str,
    gen_id: String,
    seed: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl From<Ticket> for GenerateResponse {
    fn from(Ticket { id, receipt }: Ticket) -> Self {
        Self {
            id,
            prompt: receipt.prompt,
            model: receipt.model,
            format: receipt.format.name(),
            gen_id: receipt.gen_id,
            seed: receipt.seed,
            warnings: receipt.warnings,
        }
    }
}

pub(super) async fn generate(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    spend(&asked, services)?;
    let idempotency = idempotency::read(asked.request.headers(), &asked.bytes)?;
    let mut request: GenerateRequest = fields::read(asked.fields, ALIASES)?;
    let chance = Chance::draw()?;
    let presets = services.presets.now();
    let key_id = asked.caller.key_id;
    let draft = resolve(&request, &presets, &viewer(&asked.caller), &chance)?;
    let tightened = tightened::read(request.compliance.as_ref())?.and(&asked.caller.tightened);
    // What was asked for before is answered as before, and nobody is asked again.
    if let Some(sent) = &idempotency
        && let Some(ticket) = services.store.submitted_before(key_id, sent.clone()).await?
    {
        return Ok(replayed(ticket));
    }
    check_available(&draft, &services.presets)?;
    let mark = services.marks.pick(std::mem::take(&mut request.wm_image)).await?;
    let (optimize, strict) = (request.optimize, request.strict);
    let draft = match optimize {
        true => {
            let errand = Errand {
                request,
                presets,
                caller: asked.caller,
                chance: chance.clone(),
                tightened: tightened.clone(),
            };
            services.enhance.enhanced(errand, draft, &services.tokenizers).await?
        }
        false => draft,
    };
    let draft = draft.marked(mark.as_ref().map(Attachment::name));
    // A blocked prompt is answered with an id like any other; its status says why nothing was drawn.
    let Reviewed { verdict, clearance, evidence } =
        services.review.review(&draft, &tightened, key_id, Opinions::All).await?;
    let verdict = match verdict {
        Ok(approved) => {
            let draft = if optimize { draft.said_if_not_enhanced(strict)? } else { draft };
            Verdict::Accepted(draft.into_plan(approved, clearance))
        }
        Err(blocked) => Verdict::Blocked(draft.receipt(), blocked.into()),
    };
    let evidence = written(&evidence)?;
    let job = NewJob { id: chance.job_id, key_id, verdict, attachment: mark, idempotency, evidence };
    let submitted = services.store.submit(job).await?;
    let ticket = submitted.ticket().clone();
    Ok(if submitted.is_replayed() { replayed(ticket) } else { ok(GenerateResponse::from(ticket)) })
}

/// # Errors
/// 503 where the model's checkpoint could not be loaded lately. The reason names files, so it stays in the log.
pub(super) fn check_available(draft: &Draft, presets: &Shelf) -> Result<(), ApiError> {
    if presets.unavailable().why(&draft.weights()).is_none() {
        return Ok(());
    }
    let now = presets.now();
    let there = |model: &Model| presets.unavailable().why(&model.weights()).is_none();
    let others = now.models.iter().filter(|(_, model)| there(model));
    let others: Vec<&str> = others.map(|(key, _)| key.as_str()).collect();
    Err(ApiError::new(Code::ModelUnavailable).with("model", draft.model.as_str()).with("available", others))
}

fn replayed(ticket: Ticket) -> HttpResponse {
    let mut answer = ok(GenerateResponse::from(ticket));
    let name = HeaderName::from_static("idempotency-replayed");
    answer.headers_mut().insert(name, HeaderValue::from_static("true"));
    answer
}
