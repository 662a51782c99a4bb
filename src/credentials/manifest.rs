//! What a manifest says, as C2PA wants it said.
//!
//! Specification 2.4. *Created* assertions are the signer's own word: what was done, the soft binding, which model. What a
//! client said of itself, such as an author's name, is *gathered*: kept whole by the signature, vouched for by nobody.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::claim::{Claim, Ingredient, Provenance, SoftBinding};
use super::config::CredentialsConfig;
use super::source_type::DigitalSourceType;

/// Version of the specification that manifests keep to (2.4, "Claim generator info", `specVersion`).
const SPEC_VERSION: &str = "2.4";
/// What the service is called in claims.
const GENERATOR: &str = "imgen";
/// Label of the assertion about how a picture was generated, in a name space of our own.
pub const GENERATION_LABEL: &str = "org.imgen.generation";
/// What actions call the ingredient; it is replaced by the assertion's address.
const PARENT: &str = "parent";

/// The definition that the manifest is built from, for a picture of this content type.
pub(super) fn definition(claim: &Claim<'_>, config: &CredentialsConfig, content_type: &str) -> Value {
    let said = |given: &str, default: &str| {
        let text = if given.is_empty() { default } else { given };
        (!text.is_empty()).then(|| text.to_owned())
    };
    let credentials = &claim.provenance.credentials;
    let title = said(&credentials.title, &config.title);
    let mut assertions = vec![created("c2pa.actions.v2", &actions(claim))];
    if let Some(binding) = &claim.soft_binding {
        assertions.push(created("c2pa.soft-binding", &soft_binding(binding)));
    }
    // A thumbnail's ingredient says all the rest; that of a picture from elsewhere says where it comes from.
    if claim.ingredient.is_none() {
        assertions.push(source_metadata(claim.provenance.source_type));
    }
    if !is_thumbnail(claim) {
        assertions.extend(disclosure(claim.provenance));
        assertions.extend(generation(claim.provenance, config.include_prompt));
        assertions.extend(credit(
            title.as_deref(),
            said(&credentials.author, &config.author),
            said(&credentials.description, &config.description),
            said(&credentials.organization, &config.organization),
            said(&credentials.vendor, &config.vendor),
        ));
    }
    let mut definition = json!({
        "claim_version": 2,
        "claim_generator_info": [{
            "name": GENERATOR,
            "version": env!("CARGO_PKG_VERSION"),
            "specVersion": SPEC_VERSION,
        }],
        "label": manifest_id(claim),
        "instance_id": instance_id(claim),
        "format": content_type,
        "assertions": assertions,
    });
    if let Some(title) = title {
        definition["title"] = json!(title);
    }
    definition
}

/// How the picture stands to what it was made from. It is derived from it, so that is the parent (2.4, "Ingredient").
pub(super) fn ingredient(claim: &Claim<'_>) -> Value {
    let title = if is_thumbnail(claim) { "full picture" } else { "picture as it came" };
    json!({ "title": title, "relationship": "parentOf", "label": PARENT, "instance_id": id(claim, "ingredient") })
}

fn is_thumbnail(claim: &Claim<'_>) -> bool {
    matches!(claim.ingredient, Some(Ingredient::FullPicture(_)))
}

/// `urn:c2pa:` and a UUID that is a function of the picture's name.
pub(super) fn manifest_id(claim: &Claim<'_>) -> String {
    format!("urn:c2pa:{}", id(claim, "manifest"))
}

fn instance_id(claim: &Claim<'_>) -> String {
    format!("xmp:iid:{}", id(claim, "instance"))
}

/// A UUID whose random bits are a hash: picture and thumbnail of one name differ.
fn id(claim: &Claim<'_>, of: &str) -> String {
    let rendition = if is_thumbnail(claim) { "thumbnail" } else { "picture" };
    let digest = Sha256::new()
        .chain_update(b"imgen.credentials.2")
        .chain_update(Sha256::digest(&claim.provenance.name))
        .chain_update(rendition)
        .chain_update([0])
        .chain_update(of)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 4 and its variant (RFC 9562): validators take no other.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// An assertion of the signer's own.
fn created(label: &str, data: &Value) -> Value {
    json!({ "label": label, "created": true, "data": data })
}

/// The same, in JSON instead of CBOR.
fn created_json(label: &str, data: &Value) -> Value {
    json!({ "label": label, "created": true, "kind": "Json", "data": data })
}

/// Everything that was done, in order. A visible watermark is an edit: `c2pa.watermarked` and its kin mean invisible ones.
fn actions(claim: &Claim<'_>) -> Value {
    let agent = json!({ "name": GENERATOR, "version": env!("CARGO_PKG_VERSION") });
    let when = moment(claim.provenance.when);
    let action = |name: &str, more: Value| {
        let mut action = json!({ "action": name, "when": when, "softwareAgent": agent });
        if let (Some(action), Value::Object(more)) = (action.as_object_mut(), more) {
            action.extend(more);
        }
        action
    };
    let mut list = Vec::new();
    if claim.ingredient.is_some() {
        list.push(action("c2pa.opened", json!({ "parameters": { "ingredientIds": [PARENT] } })));
    } else {
        list.push(action("c2pa.created", json!({ "digitalSourceType": claim.provenance.source_type.uri() })));
    }
    if matches!(claim.ingredient, Some(Ingredient::Opened(_))) {
        list.push(action("c2pa.transcoded", json!({})));
    }
    if is_thumbnail(claim) {
        list.push(action("c2pa.resized.proportional", json!({})));
    }
    if claim.visible_watermark {
        let enhanced = DigitalSourceType::ALGORITHMICALLY_ENHANCED.uri();
        let more = json!({ "digitalSourceType": enhanced, "description": "visible watermark" });
        list.push(action("c2pa.edited", more));
    }
    if claim.soft_binding.is_some() {
        list.push(action("c2pa.watermarked.bound", json!({})));
    }
    json!({ "actions": list, "allActionsIncluded": true })
}

fn soft_binding(binding: &SoftBinding) -> Value {
    json!({ "alg": binding.alg, "name": "invisible mark", "blocks": [{ "scope": {}, "value": binding.value_hex }] })
}

/// The digital source type once more, where readers of photographs' metadata look for it.
fn source_metadata(source_type: DigitalSourceType) -> Value {
    created_json(
        "c2pa.metadata",
        &json!({
            "@context": { "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/" },
            "Iptc4xmpExt:DigitalSourceType": source_type.uri(),
        }),
    )
}

/// The machine-readable disclosure of a model (2.4, "AI disclosure").
fn disclosure(provenance: &Provenance) -> Option<Value> {
    let mut data = json!({ "modelType": "c2pa.types.model" });
    if provenance.model.is_empty() {
        return None;
    }
    data["modelName"] = json!(provenance.model);
    if let Some(hash) = &provenance.model_sha256 {
        data["modelIdentifier"] = json!(format!("sha256:{hash}"));
    }
    Some(created("c2pa.ai-disclosure", &data))
}

/// What decides the picture, for whoever has the records: without its salt, the recipe's hash confirms no guess. The prompt is
/// in it only where the operator wants it there.
fn generation(provenance: &Provenance, include_prompt: bool) -> Option<Value> {
    let mut data = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    };
    put("model", (!provenance.model.is_empty()).then(|| json!(provenance.model)));
    put("modelSha256", provenance.model_sha256.as_ref().map(|hash| json!(hash)));
    put("lorasSha256", (!provenance.loras_sha256.is_empty()).then(|| json!(provenance.loras_sha256)));
    put("recipeSha256", provenance.recipe_sha256.as_ref().map(|hash| json!(hash)));
    put("seed", provenance.seed.map(|seed| json!(seed)));
    let shown = provenance.character_rights.as_ref();
    put("characterRights", shown.map(|shown| json!(shown.rights)));
    put("characterLicence", shown.map(|shown| json!(shown.licence)));
    put("prompt", provenance.prompt.as_ref().filter(|_| include_prompt).map(|prompt| json!(prompt)));
    (!data.is_empty()).then(|| created_json(GENERATION_LABEL, &Value::Object(data)))
}

/// Author, title, description, organization and vendor, gathered, in the metadata assertion that may hold them (CAWG 1.2).
fn credit(
    title: Option<&str>,
    author: Option<String>,
    description: Option<String>,
    organization: Option<String>,
    vendor: Option<String>,
) -> Option<Value> {
    let mut data = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    };
    put("dc:title", title.map(|text| json!(text)));
    put("dc:creator", author.map(|text| json!([text])));
    put("dc:description", description.map(|text| json!(text)));
    put("dc:publisher", organization.map(|text| json!([text])));
    put("photoshop:Credit", vendor.map(|text| json!(text)));
    if data.is_empty() {
        return None;
    }
    data.insert(
        "@context".to_owned(),
        json!({ "dc": "http://purl.org/dc/elements/1.1/", "photoshop": "http://ns.adobe.com/photoshop/1.0/" }),
    );
    Some(json!({ "label": "cawg.metadata", "kind": "Json", "data": data }))
}

/// RFC 3339 in UTC, whole seconds.
fn moment(when: OffsetDateTime) -> String {
    when.to_offset(UtcOffset::UTC)
        .replace_nanosecond(0)
        .ok()
        .and_then(|when| when.format(&Rfc3339).ok())
        .unwrap_or_default()
}
