//! Where a picture comes from, in IPTC's words.

/// The names of IPTC's digital source types, letter for letter; those that IPTC has retired are not among them.
const NAMES: [&str; 17] = [
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "algorithmicallyEnhanced",
    "digitalCapture",
    "computationalCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
    "humanEdits",
    "digitalCreation",
    "dataDrivenMedia",
    "screenCapture",
    "virtualRecording",
    "composite",
    "compositeCapture",
    "compositeSynthetic",
];

/// What all of the names stand below (IPTC NewsCodes, "Digital Source Type").
const VOCABULARY: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";

/// One of IPTC's digital source types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigitalSourceType(&'static str);

impl DigitalSourceType {
    /// Made by a model that learned from samples, as pictures here are.
    pub const TRAINED_ALGORITHMIC_MEDIA: Self = Self("trainedAlgorithmicMedia");
    /// Changed a little by a program, as by a mark drawn over a picture.
    pub const ALGORITHMICALLY_ENHANCED: Self = Self("algorithmicallyEnhanced");

    /// All that can be said.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(Self)
    }

    /// The type of this name, letter for letter.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|known| known.0 == name)
    }

    /// IPTC's name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// As manifests say it.
    pub(super) fn uri(self) -> String {
        format!("{VOCABULARY}{}", self.0)
    }
}
