//! What follows of what was found, in prompts and in pictures.

use super::*;

fn entry(evidence: &Evidence) -> serde_json::Value {
    serde_json::to_value(evidence).unwrap()
}

fn with(category: Category, mode: Mode) -> Reviewer {
    let rule = WrittenRule { mode: Some(mode), ..WrittenRule::default() };
    Reviewer::new(&ComplianceConfig { categories: [(category, rule)].into(), ..ComplianceConfig::default() })
        .unwrap()
}

#[test]
fn a_policy_says_what_follows() {
    let texts = Texts { positive: "canary-violence", ..Texts::default() };
    let flagged = reviewer().prompt(&texts, Clearance::default(), &Opinion::default());
    assert!(flagged.verdict.is_ok());
    assert_eq!(flagged.clearance.flags, [Category::Violence]);
    let evidence = entry(&flagged.evidence[0]);
    assert_eq!((&evidence["decision"], &evidence["stage"]), (&"flagged".into(), &"prompt".into()));
    assert_eq!(evidence["text_sha256"], texts.sha256());
    let off = with(Category::Violence, Mode::Off).prompt(&texts, Clearance::default(), &Opinion::default());
    assert!(off.verdict.is_ok() && off.evidence.is_empty() && off.clearance.flags.is_empty());
    let tightened: Tightened = [(Category::Violence, Mode::Block)].into_iter().collect();
    let blocked = with(Category::Violence, Mode::Off)
        .prompt(&texts, Clearance { tightened, ..Clearance::default() }, &Opinion::default())
        .verdict
        .unwrap_err();
    assert_eq!(blocked.message, "Content blocked — flagged for: Violence.");
    assert_ne!(reviewer().version(), with(Category::Violence, Mode::Off).version());
    assert_eq!(reviewer().version(), reviewer().version());
}

#[test]
fn an_override_opens_what_it_names_but_never_the_locked() {
    let review = |category: Category, clearance: Clearance| {
        let text = category.canary();
        reviewer().prompt(&Texts { positive: &text, ..Texts::default() }, clearance, &Opinion::default())
    };
    let overridden = Clearance { overridden: Category::ALL.to_vec(), ..Clearance::default() };
    assert!(review(Category::Hate, Clearance::default()).verdict.is_err());
    let passed = review(Category::Hate, overridden.clone());
    assert!(passed.verdict.is_ok());
    assert_eq!(entry(&passed.evidence[0])["decision"], "overridden");
    let other = Clearance { overridden: vec![Category::Violence], ..Clearance::default() };
    assert!(review(Category::Hate, other).verdict.is_err());
    let tightened: Tightened = [(Category::Hate, Mode::Block)].into_iter().collect();
    assert!(review(Category::Hate, Clearance { tightened, ..overridden.clone() }).verdict.is_err());
    for category in Category::LOCKED {
        let blocked = review(category, overridden.clone());
        assert!(blocked.verdict.is_err());
        let evidence = entry(&blocked.evidence[0]);
        assert!(evidence.get("score").is_none() && evidence.get("threshold").is_none(), "{evidence}");
    }
}

fn seen(unfit: f32) -> Signs {
    Signs { unfit, known: Vec::new(), pdq: "00".repeat(32), model_sha256: "ab".repeat(32) }
}

#[test]
fn a_picture_counts_alone_and_together_with_its_prompt() {
    let told = |unfit, positive| {
        let texts = Texts { positive, ..Texts::default() };
        let verdict = reviewer().picture_signs(&seen(unfit), &texts, &Clearance::default());
        (verdict.blocked.map_or(Vec::new(), |blocked| blocked.categories), verdict.flags)
    };
    assert_eq!(told(0.1, "a child"), (vec![], vec![]));
    assert_eq!(told(0.79, "a hat"), (vec![], vec![]));
    assert_eq!(told(0.8, "a hat"), (vec![], vec![Category::Sexual]));
    assert_eq!(told(0.49, "a child"), (vec![], vec![]));
    assert_eq!(told(0.5, "a child").0, MINORS);
    assert_eq!(told(0.5, "a 12 year old").0, MINORS);
    let celebrity = "a celebrity";
    assert_eq!(told(0.5, celebrity).0, REAL, "{celebrity}");
}

#[test]
fn evidence_of_a_picture_names_its_network_and_its_looks_and_is_there_when_nothing_was_found() {
    let texts = Texts { positive: "a hat", ..Texts::default() };
    let clearance = reviewer().prompt(&texts, Clearance::default(), &Opinion::default()).clearance;
    let verdict = reviewer().picture_signs(&seen(0.125), &texts, &clearance);
    let [evidence] = verdict.evidence.as_slice() else { panic!("{:?}", verdict.evidence) };
    let wanted = serde_json::json!({
        "event": "review", "stage": "picture", "decision": "passed", "by": "open_nsfw", "score": 0.125,
        "policy": reviewer().version(), "text_sha256": texts.sha256(),
        "model_sha256": "ab".repeat(32), "pdq": "00".repeat(32),
    });
    assert_eq!(entry(evidence), wanted);
}

#[test]
fn a_known_picture_is_blocked_by_its_lists_category() {
    let known =
        crate::compliance::picture::Known { list: "known.txt".to_owned(), category: Category::SexualMinors };
    let signs = Signs { known: vec![known], ..seen(0.0) };
    let texts = Texts { positive: "a hat", ..Texts::default() };
    let overridden = Clearance { overridden: Category::ALL.to_vec(), ..Clearance::default() };
    let verdict = reviewer().picture_signs(&signs, &texts, &overridden);
    assert_eq!(verdict.blocked.unwrap().categories, MINORS);
    assert_eq!(entry(&verdict.evidence[0])["by"], "hash_list:known.txt");
}
