//! Both reviews: a prompt before anything is drawn, a picture before anything of it leaves the house.

use std::sync::Arc;

use image::RgbImage;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::ages;
use super::floor::Floor;
use super::picture::{PictureFilter, Signs};
use super::policy::Policy;
use super::readings::Readings;
use super::rules::Rules;
use super::unweighted::{forms, reversed, together};
use super::verdict::{Clearance, PictureVerdict, Sign, Stage, Told, Unseen, Verdict};
use super::{
    ApprovedPrompt, Blocked, Category, ComplianceConfig, Evidence, ModerationUnavailable, Moderator, Opinion,
};

/// All that was said, as it will be used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    /// The composed positive prompt, with what character and style add; approved byte for byte.
    pub positive: &'a str,
    /// The composed negative prompt; approved byte for byte. What it names is kept out of the picture.
    pub negative: &'a str,
    /// What else the client said that may describe the picture: `cs_*`, and what its LoRAs are called and called up by.
    pub others: &'a [&'a str],
}

impl Texts<'_> {
    /// SHA-256 over all of them, each ended by a zero byte: what the ledger knows a request by.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for text in [self.positive, self.negative].iter().chain(self.others) {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hex::encode(hash.finalize())
    }

    /// Those in which a thing is shown rather than kept out, a line each; the prompt also without its weights, where it
    /// has any.
    pub fn spoken(&self) -> String {
        let unweighted = together(self.positive);
        let bare = (unweighted != self.positive).then_some(unweighted.as_str());
        let wanted = reversed(self.negative);
        let texts = [self.positive].into_iter().chain(bare).chain(self.others.iter().copied());
        let texts = texts.chain(wanted.iter().map(String::as_str));
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The same, as they can be read.
    fn shown(&self) -> Readings {
        let mut shown = Readings::default();
        for text in [self.positive].iter().chain(self.others) {
            forms(text).iter().for_each(|form| shown.extend(&Readings::of(form)));
        }
        reversed(self.negative).iter().for_each(|form| shown.extend(&Readings::of(form)));
        shown
    }

    /// What is kept out: the negative prompt, and what the prompt weighs below 0.
    fn kept_out(&self) -> String {
        [vec![self.negative.to_owned()], reversed(self.positive)].concat().join(", ")
    }
}

/// What came of a prompt's review.
#[derive(Debug, Clone)]
pub struct Reviewed {
    pub verdict: Result<ApprovedPrompt, Blocked>,
    /// For the second review; to be kept with an approved prompt.
    pub clearance: Clearance,
    /// For the ledger: one for each category that was found.
    pub evidence: Vec<Evidence>,
}

/// The rules that ship cannot be read, or do not fire on their own test strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the rules do not fire on their own test strings")]
pub struct RulesBroken;

/// Knows the rules, and what the operator wants done.
#[derive(Debug, Clone)]
pub struct Reviewer {
    rules: &'static Rules,
    policy: Arc<Policy>,
    /// Of policy and rules together; two reviewers of one version decide alike.
    version: Arc<str>,
    moderator: Option<Arc<Moderator>>,
}

impl Reviewer {
    /// # Errors
    /// Rules that do not stand; a service without them must not be ready.
    pub fn new(config: &ComplianceConfig) -> Result<Self, RulesBroken> {
        let policy = Policy::with(&config.categories);
        let text = serde_json::to_string(&policy).map_err(|_| RulesBroken)?;
        let words = [Floor::TEXT, ages::TEXT, Rules::TEXT];
        let hash =
            words.iter().fold(Sha256::new().chain_update(text), |hash, words| hash.chain_update(words));
        let hash = hash.finalize();
        let reviewer = Self {
            rules: Rules::embedded().ok_or(RulesBroken)?,
            policy: Arc::new(policy),
            version: hex::encode(&hash[..8]).into(),
            moderator: Moderator::new(config).map(Arc::new),
        };
        if reviewer.stands() { Ok(reviewer) } else { Err(RulesBroken) }
    }

    /// Of policy and rules together.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Who is to be asked for a further opinion before a prompt is reviewed.
    pub fn moderator(&self) -> Option<Arc<Moderator>> {
        self.moderator.clone()
    }

    fn stands(&self) -> bool {
        let verdict = |positive: &str| self.approve(&Texts { positive, ..Texts::default() });
        let fires = |category: Category| {
            verdict(&category.canary()).is_err_and(|blocked| blocked.categories == [category.id()])
        };
        Category::LOCKED.into_iter().all(fires) && verdict("a red hoodie").is_ok()
    }

    /// Reviews a prompt. Of `clearance` it reads what its key and its request want to be stricter and what an operator has
    /// let pass; `opinion` is what the [`moderator`](Self::moderator) said.
    pub fn prompt(&self, texts: &Texts<'_>, clearance: Clearance, opinion: &Opinion) -> Reviewed {
        self.reviewed_by(Floor::embedded(), texts, clearance, opinion)
    }

    /// [`prompt`](Self::prompt) with the opinion of a moderator, who is not asked of what the rules block.
    ///
    /// # Errors
    /// A moderator that gives no opinion.
    pub fn prompt_with(
        &self,
        moderator: Option<&Moderator>,
        texts: &Texts<'_>,
        clearance: Clearance,
    ) -> Result<Reviewed, ModerationUnavailable> {
        let by_rules = self.prompt(texts, clearance.clone(), &Opinion::default());
        match moderator.filter(|_| by_rules.verdict.is_ok()) {
            Some(moderator) => {
                let opinion = moderator.opinion(&texts.spoken())?;
                Ok(self.prompt(texts, clearance, &opinion))
            }
            None => Ok(by_rules),
        }
    }

    /// Approves what nobody asked to be treated more strictly, by the rules alone.
    ///
    /// # Errors
    /// What it was flagged for.
    pub fn approve(&self, texts: &Texts<'_>) -> Result<ApprovedPrompt, Blocked> {
        self.prompt(texts, Clearance::default(), &Opinion::default()).verdict
    }

    /// By a floor of any words.
    pub(super) fn reviewed_by(
        &self,
        floor: &Floor,
        texts: &Texts<'_>,
        clearance: Clearance,
        opinion: &Opinion,
    ) -> Reviewed {
        let shown = texts.shown();
        let mut signs = floor.find(&shown, &texts.kept_out());
        signs.extend(self.rules.find(&shown));
        signs.extend(canaries(texts));
        signs.extend(opinion.0.iter().cloned());
        let clearance = Clearance { text_sha256: texts.sha256(), ..clearance };
        let told = Told { stage: Stage::Prompt, ..self.told(&clearance) };
        let Verdict { blocked, flags, evidence } = Verdict::of(signs, &self.policy, &clearance, &told);
        let verdict = match blocked {
            Some(blocked) => Err(blocked),
            None => Ok(ApprovedPrompt::new(texts.positive.to_owned(), texts.negative.to_owned())),
        };
        Reviewed { verdict, clearance: Clearance { flags, ..clearance }, evidence }
    }

    /// Reviews what was drawn of a prompt that was approved with this clearance.
    ///
    /// # Errors
    /// Where the picture could not be looked at; then it must not be delivered.
    pub fn picture(
        &self,
        filter: &PictureFilter,
        picture: &RgbImage,
        texts: &Texts<'_>,
        clearance: &Clearance,
    ) -> Result<PictureVerdict, Unseen> {
        let told = || Told { stage: Stage::Picture, ..self.told(clearance) };
        let signs = filter.look(picture).map_err(|why| told().unseen(why))?;
        Ok(self.picture_signs(&signs, texts, clearance))
    }

    /// [`picture`](Self::picture), once it was looked at.
    pub fn picture_signs(&self, seen: &Signs, texts: &Texts<'_>, clearance: &Clearance) -> PictureVerdict {
        let mut signs = Vec::new();
        let floor = Floor::embedded();
        let shown = texts.shown();
        let unfit = Sign { category: Category::Sexual, score: seen.unfit, by: "open_nsfw".to_owned() };
        if seen.unfit >= self.policy.joint_score() {
            let joint = |category| Sign { category, score: seen.unfit, by: "open_nsfw+prompt".to_owned() };
            signs.extend(
                floor.speaks_of_minors(&shown, &texts.kept_out()).then(|| joint(Category::SexualMinors)),
            );
            signs.extend(floor.speaks_of_real_people(&shown).then(|| joint(Category::SexualNonConsensual)));
        }
        signs.extend(seen.known.iter().map(|known| Sign {
            category: known.category,
            score: 1.0,
            by: format!("hash_list:{}", known.list),
        }));
        signs.push(unfit);
        let told = Told {
            stage: Stage::Picture,
            model_sha256: Some(seen.model_sha256.clone()),
            pdq: Some(seen.pdq.clone()),
            ..self.told(clearance)
        };
        let Verdict { blocked, flags, mut evidence } = Verdict::of(signs, &self.policy, clearance, &told);
        if evidence.is_empty() {
            evidence.push(told.passed(seen.unfit));
        }
        PictureVerdict { blocked, flags, evidence }
    }

    fn told(&self, clearance: &Clearance) -> Told {
        Told {
            stage: Stage::Prompt,
            policy: self.version.to_string(),
            text_sha256: clearance.text_sha256.clone(),
            model_sha256: None,
            pdq: None,
        }
    }
}

/// Test strings count wherever they stand, in the negative prompt too.
fn canaries(texts: &Texts<'_>) -> Vec<Sign> {
    let all: Vec<String> =
        [texts.positive, texts.negative].iter().chain(texts.others).flat_map(|text| forms(text)).collect();
    let said = |text: &str| all.iter().any(|said| said.contains(text));
    if !said("canary-") {
        return Vec::new();
    }
    let named = Category::ALL.iter().filter(|category| said(&category.canary()));
    named.map(|category| Sign { category: *category, score: 1.0, by: "canary".to_owned() }).collect()
}
