//! What a signed picture says, and that it says so of these bytes only.

use serde_json::Value;

use super::*;

fn opened(config: &CredentialsConfig) -> (tempfile::TempDir, Credentials) {
    let data = tempfile::tempdir().unwrap();
    let credentials = Credentials::open(config, data.path(), now()).unwrap();
    (data, credentials)
}

/// The active manifest's assertions by label.
fn assertions(report: &C2paReport) -> Vec<(String, Value)> {
    let store = report.manifest.as_ref().unwrap();
    let active = &store["manifests"][report.manifest_id.as_ref().unwrap()];
    let list = active["assertions"].as_array().unwrap();
    list.iter().map(|entry| (entry["label"].as_str().unwrap().to_owned(), entry["data"].clone())).collect()
}

fn assertion(report: &C2paReport, label: &str) -> Value {
    let found = assertions(report);
    found
        .iter()
        .find(|(known, _)| known == label)
        .map(|(_, data)| data.clone())
        .unwrap_or_else(|| panic!("{label}: {found:?}"))
}

#[test]
fn it_is_trusted_and_says_what_was_claimed() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    for format in [Format::Jpeg, Format::Png] {
        let picture = encoded(format);
        let signed = credentials.sign(&picture, format, &claim(&provenance())).unwrap();
        let report = credentials.read(&signed.bytes, format);
        assert_eq!((report.present, report.state), (true, Some(State::Trusted)), "{:?}", report.reasons);
        assert_eq!(report.reasons, Vec::<String>::new());
        assert_eq!(report.manifest_id.as_ref(), Some(&signed.manifest_id));
        assert!(
            signed.bytes.len() - picture.len() < 9000,
            "{} bytes more",
            signed.bytes.len() - picture.len()
        );
        let actions = assertion(&report, "c2pa.actions.v2");
        assert_eq!(actions["allActionsIncluded"], true);
        let names: Vec<_> = actions["actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action["action"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["c2pa.created", "c2pa.edited", "c2pa.watermarked.bound"]);
        let made = &actions["actions"][0];
        assert!(made["digitalSourceType"].as_str().unwrap().ends_with("/trainedAlgorithmicMedia"));
        assert_eq!(made["softwareAgent"]["name"], "imgen");
        let binding = assertion(&report, "c2pa.soft-binding");
        assert_eq!(binding["alg"], "org.imgen.tile-spread.1");
        assert_eq!(binding["blocks"][0]["value"], "00112233aabbccdd");
        let credit = assertion(&report, "cawg.metadata");
        assert_eq!(
            (&credit["dc:title"], &credit["dc:creator"][0]),
            (&"A title".into(), &"Ada Example".into())
        );
        assert_eq!(credit["dc:publisher"][0], "imgen", "the configured default");
        let generation = assertion(&report, GENERATION_LABEL);
        assert_eq!((&generation["seed"], &generation["model"]), (&7.into(), &"starter".into()));
        assert_eq!(generation["recipeSha256"], "cd".repeat(32));
        assert_eq!(generation["characterRights"], "Invented; depicts nobody.");
        assert_eq!(generation["characterLicence"], "CC0-1.0");
        assert!(!report.manifest.unwrap().to_string().contains("secret prompt"));
        let alone = credentials.read_manifest(&signed.manifest);
        assert_eq!(alone.manifest_id, Some(signed.manifest_id));
    }
}

#[test]
fn the_prompt_goes_out_only_where_the_operator_wants_it() {
    let (_data, credentials) =
        opened(&CredentialsConfig { include_prompt: true, ..CredentialsConfig::default() });
    let signed = credentials.sign(&encoded(Format::Png), Format::Png, &claim(&provenance())).unwrap();
    let report = credentials.read(&signed.bytes, Format::Png);
    assert_eq!(assertion(&report, GENERATION_LABEL)["prompt"], "a secret prompt");
}

#[test]
fn a_picture_that_no_model_made_can_say_so() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    for source_type in DigitalSourceType::all() {
        let photograph = Provenance { source_type, ..Provenance::new("photograph", now()) };
        let signed = credentials.sign(&encoded(Format::Png), Format::Png, &Claim::new(&photograph)).unwrap();
        let report = credentials.read(&signed.bytes, Format::Png);
        assert_eq!(report.state, Some(State::Trusted), "{source_type:?}: {:?}", report.reasons);
        let due = format!("http://cv.iptc.org/newscodes/digitalsourcetype/{}", source_type.name());
        let created = &assertion(&report, "c2pa.actions.v2")["actions"][0];
        assert_eq!(
            (&created["action"], &created["digitalSourceType"]),
            (&"c2pa.created".into(), &due.clone().into())
        );
        assert_eq!(assertion(&report, "c2pa.metadata")["Iptc4xmpExt:DigitalSourceType"], due);
    }
}

#[test]
fn empty_texts_take_the_defaults_and_nothing_is_said_of_nothing() {
    let config = CredentialsConfig {
        vendor: "V".to_owned(),
        author: "House author".to_owned(),
        ..CredentialsConfig::default()
    };
    let (_data, credentials) = opened(&config);
    let bare = Provenance::new("bare", now());
    let signed = credentials.sign(&encoded(Format::Png), Format::Png, &Claim::new(&bare)).unwrap();
    let report = credentials.read(&signed.bytes, Format::Png);
    let credit = assertion(&report, "cawg.metadata");
    assert_eq!(
        (&credit["photoshop:Credit"], &credit["dc:creator"][0]),
        (&"V".into(), &"House author".into())
    );
    assert_eq!(credit["dc:title"], Value::Null);
    let labels: Vec<_> = assertions(&report).into_iter().map(|(label, _)| label).collect();
    for absent in [GENERATION_LABEL, "c2pa.ai-disclosure", "c2pa.soft-binding"] {
        assert!(!labels.iter().any(|label| label == absent), "{labels:?}");
    }
}

#[test]
fn odd_texts_are_kept_as_they_are() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    let text = "\"<script>\u{202e}\u{1f600} \\n \u{7f}\\u0000 and a long one ".repeat(20);
    let (title, author, vendor) = (text.clone(), text.clone(), text.clone());
    let credentials_said = plan::Credentials { title, author, vendor, ..plan::Credentials::default() };
    let odd = Provenance { credentials: credentials_said, ..provenance() };
    let signed = credentials.sign(&encoded(Format::Png), Format::Png, &claim(&odd)).unwrap();
    let report = credentials.read(&signed.bytes, Format::Png);
    assert_eq!(report.state, Some(State::Trusted));
    assert_eq!(assertion(&report, "cawg.metadata")["dc:creator"][0], text.as_str());
}

#[test]
fn a_thumbnail_is_a_rendition_of_the_signed_picture() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    let full = credentials.sign(&encoded(Format::Jpeg), Format::Jpeg, &claim(&provenance())).unwrap();
    let provenance = provenance();
    let small = Claim { ingredient: Some(Ingredient::FullPicture(&full)), ..Claim::new(&provenance) };
    let bytes = encoded(Format::Jpeg);
    let thumbnail = credentials.sign(&bytes, Format::Jpeg, &small).unwrap();
    assert_ne!(thumbnail.manifest_id, full.manifest_id);
    let report = credentials.read(&thumbnail.bytes, Format::Jpeg);
    assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
    let store = report.manifest.clone().unwrap();
    assert_eq!(store["manifests"].as_object().unwrap().len(), 2, "the full picture's manifest is in it");
    let active = &store["manifests"][&thumbnail.manifest_id];
    assert_eq!(active["ingredients"][0]["relationship"], "parentOf");
    assert_eq!(active["ingredients"][0]["active_manifest"], full.manifest_id.as_str());
    let actions = assertion(&report, "c2pa.actions.v2");
    assert_eq!(actions["actions"][0]["action"], "c2pa.opened");
    assert_eq!(actions["actions"][0]["parameters"]["ingredients"].as_array().unwrap().len(), 1);
    assert_eq!(actions["actions"][1]["action"], "c2pa.resized.proportional");
    assert!(thumbnail.bytes.len() - bytes.len() < 20_000);
}

#[test]
fn a_thumbnail_of_a_picture_that_does_not_hold_is_not_signed() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    let mut full = credentials.sign(&encoded(Format::Jpeg), Format::Jpeg, &claim(&provenance())).unwrap();
    let last = full.bytes.len() - 10;
    full.bytes[last] ^= 1;
    let provenance = provenance();
    let small = Claim { ingredient: Some(Ingredient::FullPicture(&full)), ..claim(&provenance) };
    let refused = credentials.sign(&encoded(Format::Jpeg), Format::Jpeg, &small).unwrap_err();
    assert!(matches!(refused, CredentialsError::NotVerified { .. }), "{refused}");
}

#[test]
fn a_picture_that_came_signed_goes_on_with_its_history() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    let first = credentials.sign(&encoded(Format::Jpeg), Format::Jpeg, &claim(&provenance())).unwrap();
    let mut changed = first.bytes.clone();
    let last = changed.len() - 10;
    changed[last] ^= 1;
    for (bytes, holds) in [(first.bytes.clone(), true), (changed, false)] {
        let came = Opened { bytes, content_type: Format::Jpeg.content_type() };
        let provenance = Provenance { name: "again".to_owned(), ..provenance() };
        let again = Claim { ingredient: Some(Ingredient::Opened(&came)), ..Claim::new(&provenance) };
        let signed = credentials.sign(&encoded(Format::Png), Format::Png, &again).unwrap();
        let report = credentials.read(&signed.bytes, Format::Png);
        assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
        let active = &report.manifest.as_ref().unwrap()["manifests"][&signed.manifest_id];
        assert_eq!(active["ingredients"][0]["active_manifest"], first.manifest_id.as_str());
        let found = active["ingredients"][0]["validation_results"].to_string();
        assert_eq!(!found.contains("dataHash.mismatch"), holds, "{found}");
        let list = assertion(&report, "c2pa.actions.v2")["actions"].clone();
        let names: Vec<_> =
            list.as_array().unwrap().iter().map(|action| action["action"].as_str().unwrap()).collect();
        assert_eq!(names, ["c2pa.opened", "c2pa.transcoded"]);
        assert!(assertions(&report).iter().all(|(label, _)| label != "c2pa.metadata"));
    }
}

#[test]
fn ids_follow_from_the_name_and_only_the_salts_differ() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    let sign = |claim: &Claim<'_>| credentials.sign(&encoded(Format::Png), Format::Png, claim).unwrap();
    let named = provenance();
    let fixed = claim(&named);
    let (one, two) = (sign(&fixed), sign(&fixed));
    assert_eq!(one.manifest_id, two.manifest_id);
    assert_eq!(one.bytes.len(), two.bytes.len());
    assert_ne!(
        one.manifest, two.manifest,
        "c2pa salts every assertion; should that end, the README can say so"
    );
    let said = |signed: &Signed| assertions(&credentials.read(&signed.bytes, Format::Png));
    assert_eq!(said(&one), said(&two));
    let other = Provenance { name: "another".to_owned(), ..provenance() };
    assert_ne!(sign(&claim(&other)).manifest_id, one.manifest_id);
    assert_eq!(&one.manifest_id[..9], "urn:c2pa:");
    assert_eq!(&one.manifest_id[23..24], "4", "a UUID of version 4");
}

#[test]
fn any_changed_byte_of_the_picture_is_noticed() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    for format in [Format::Jpeg, Format::Png] {
        let signed = credentials.sign(&encoded(format), format, &claim(&provenance())).unwrap();
        let at = signed.bytes.windows(64).position(|window| signed.manifest.starts_with(window)).unwrap();
        // Readers of PNG take the manifest without a look at its chunk's checksum, which is no part of the picture.
        let checksum_bytes = if format == Format::Png { 4 } else { 0 };
        let inside = at..at + signed.manifest.len() + checksum_bytes;
        let mut tried = 0;
        for position in (0..signed.bytes.len()).step_by(97) {
            let mut changed = signed.bytes.clone();
            changed[position] ^= 1 << (position % 8);
            let report = credentials.read(&changed, format);
            // A manifest that is no longer found cannot vouch for anything either.
            let passes = matches!(report.state, Some(State::Trusted | State::Valid));
            if !inside.contains(&position) {
                tried += 1;
                assert!(!passes, "byte {position} of {} as {format:?}", changed.len());
            }
        }
        assert!(tried > 20, "{tried}");
    }
}

#[test]
fn what_is_no_picture_is_not_signed() {
    let (_data, credentials) = opened(&CredentialsConfig::default());
    for bytes in [&b""[..], b"not a picture", &encoded(Format::Png)[..20], &encoded(Format::Jpeg)] {
        assert!(credentials.sign(bytes, Format::Png, &claim(&provenance())).is_err());
    }
}
