//! A picture inside JSON: `data:image/png;base64,…`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::ApiError;
use crate::finish::decode::{Kind, sniff};
use crate::plan::Format;

/// The bytes of a picture given as a data URI, whose kind must be what the bytes are.
///
/// # Errors
/// 400 that names `field` and says what is wrong; the text itself is not repeated.
pub(in crate::api) fn picture_of(field: &str, uri: &str) -> Result<Vec<u8>, ApiError> {
    let bad = |message: &str| ApiError::invalid_field(field, message);
    let form = "expected a data URI such as `data:image/png;base64,…`";
    let (head, text) = uri.split_once(',').ok_or_else(|| bad(form))?;
    let scheme =
        head.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).ok_or_else(|| bad(form))?;
    let kind = head[scheme.len()..].to_ascii_lowercase();
    let kind = kind.strip_suffix(";base64").ok_or_else(|| bad(form))?;
    let said = match kind {
        "image/jpeg" | "image/jpg" => Format::Jpeg,
        "image/png" => Format::Png,
        "image/webp" => Format::Webp,
        "image/avif" => Format::Avif,
        _ => return Err(bad("its type must be image/jpeg, image/png, image/webp or image/avif")),
    };
    let bytes = STANDARD.decode(text).map_err(|_| bad("what follows the comma is not base64"))?;
    let found = sniff(&bytes);
    if found == Kind::Picture(said) {
        Ok(bytes)
    } else {
        Err(bad(&format!("it says {kind}, but it is {}", found.phrase())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(kind: &str, bytes: &[u8]) -> String {
        format!("data:{kind};base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn a_picture_comes_out_as_it_went_in() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
        assert_eq!(picture_of("image", &uri("image/jpeg", jpeg)).unwrap(), jpeg);
        assert_eq!(picture_of("image", &uri("IMAGE/JPG", jpeg).replace("data", "DATA")).unwrap(), jpeg);
    }

    #[test]
    fn what_is_wrong_is_said_and_the_field_is_named() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (given, part) in [
            ("".to_owned(), "expected a data URI"),
            ("https://example.org/a.png".to_owned(), "expected a data URI"),
            ("data:image/png,abc".to_owned(), "expected a data URI"),
            ("ä,ä".to_owned(), "expected a data URI"),
            (uri("text/html", png), "its type must be"),
            (uri("image/png;charset=utf-8", png), "its type must be"),
            ("data:image/png;base64,%%%".to_owned(), "not base64"),
            (uri("image/jpeg", png), "it says image/jpeg, but it is a PNG"),
            (uri("image/png", b"<html></html>"), "it says image/png, but it is"),
        ] {
            let error = picture_of("image", &given).unwrap_err();
            assert_eq!(error.details()["field"], "image");
            let message = error.details()["message"].as_str().unwrap();
            assert!(message.contains(part), "{given}: {message}");
        }
    }
}
