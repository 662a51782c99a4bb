//! What is claimed of a picture and of its thumbnail. Signing is the last step: its hard binding covers the bytes.

use crate::credentials::{Claim, Ingredient, Provenance, Signed, SoftBinding};
use crate::plan::record_name;

impl Provenance {
    /// Of the picture itself; `alg` names the invisible mark that it carries.
    pub(super) fn picture(&self, payload: u64, alg: Option<&str>, visible_watermark: bool) -> Claim<'_> {
        let soft_binding =
            alg.map(|alg| SoftBinding { alg: alg.to_owned(), value_hex: record_name(payload) });
        let ingredient = self.opened.as_ref().map(Ingredient::Opened);
        Claim { soft_binding, visible_watermark, ingredient, ..Claim::new(self) }
    }

    /// Of the small copy of `full`, whose own manifest says what was drawn over it.
    pub(super) fn thumbnail<'a>(&'a self, full: &'a Signed) -> Claim<'a> {
        // Unsigned pictures have no manifest to refer to.
        let ingredient = (!full.manifest.is_empty()).then_some(Ingredient::FullPicture(full));
        Claim { ingredient, ..Claim::new(self) }
    }
}
