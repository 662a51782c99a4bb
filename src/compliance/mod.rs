//! # Compliance
#![doc = include_str!("README.md")]
//!
//! - `approved`: the proof that a prompt was reviewed
//! - `category`: what can be found, with its names on the wire
//! - `policy`: what is done about each category
//! - `reviewer`: both reviews, of a prompt and of a picture
//! - `verdict`: from what was found to what follows, and what is written down of it
//! - `floor`: the rules that no setting turns off; `floor.txt` holds their words
//! - `rules`: the rules of the categories that can be set; `rules.toml` holds their words
//! - `moderation`: a further opinion, from an endpoint
//! - `unweighted`: a prompt without weights, as the text encoders get it
//! - `readings`: a text without its disguises
//! - `cuts`: where its words begin and end, for a person and for a text encoder
//! - `phrases`: word lists, and where they occur
//! - `ages`: ages below 18 in words and digits; `ages/words.txt` holds their words
//! - `picture`: the networks and lists that look at what was drawn
//! - `config`: the `[compliance]` section

mod ages;
mod approved;
mod category;
mod config;
mod cuts;
mod floor;
mod moderation;
mod phrases;
mod picture;
mod policy;
mod readings;
mod reviewer;
mod rules;
mod unweighted;
mod verdict;

pub use approved::ApprovedPrompt;
pub use category::Category;
pub use config::{ComplianceConfig, HashListConfig};
pub use moderation::{ModerationUnavailable, Moderator, Opinion};
pub use picture::{FilterUnavailable, HashListError, PictureFilter, Signs};
pub use policy::{Mode, Tightened, WrittenRule};
pub use reviewer::{Reviewed, Reviewer, RulesBroken, Texts};
pub use verdict::{Blocked, Clearance, Evidence, PictureVerdict, Unseen};

#[cfg(test)]
mod tests;
