//! What is not drawn says why.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

fn uri(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", BASE64_STANDARD.encode(bytes))
}

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name);
    std::fs::read(path).unwrap()
}

/// What is said of a data URI, all the way to a mark.
fn said(uri: &str) -> String {
    match from_data_uri(uri).and_then(|bytes| Artwork::read(&bytes)) {
        Ok(_) => "taken".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn data_uris_of_the_four_kinds_are_taken() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><path d='M0 0h9v9z'/></svg>";
    for uri in [
        uri("image/png", &fixture("rgba.png")),
        uri("image/jpeg", &fixture("rgb.jpg")),
        uri("image/jpg", &fixture("cmyk.jpg")),
        uri("image/webp", &fixture("alpha.webp")),
        uri("image/svg+xml", svg),
        uri("image/svg+xml;charset=utf-8", svg),
        uri("Image/PNG", &fixture("palette.png")).replacen("data", "DATA", 1),
        uri("image/png", &fixture("rgb.png")).trim_end_matches('=').to_owned(),
        format!(" {}\n", uri("image/png", &fixture("rgb.png"))),
    ] {
        assert_eq!(said(&uri), "taken", "{}", &uri[..40]);
    }
}

#[test]
fn what_is_not_one_says_why() {
    let png = fixture("rgb.png");
    for (uri, words) in [
        (String::new(), "expected a data URI"),
        ("https://example.com/a.png".to_owned(), "expected a data URI"),
        ("/etc/passwd".to_owned(), "expected a data URI"),
        ("data:image/png;base64".to_owned(), "expected a data URI"),
        ("dätä:image/png;base64,".to_owned(), "expected a data URI"),
        ("data:image/png,%89PNG".to_owned(), "expected base64"),
        ("data:image/png;base64,####".to_owned(), "its base64 is broken"),
        ("data:image/png;base64,".to_owned(), "its type says image/png, but it is empty"),
        (uri("", &png), "its type is not one of"),
        (uri("text/html", b"<html>"), "its type is not one of"),
        (uri("image/gif", &fixture("other.gif")), "its type is not one of"),
        (uri("image/png", &fixture("rgb.jpg")), "its type says image/png, but it is a JPEG"),
        (uri("image/jpeg", &png), "its type says image/jpeg, but it is a PNG"),
        (uri("image/png", b"<svg/>"), "its type says image/png, but it is an SVG"),
        (uri("image/svg+xml", &png), "its type says image/svg+xml, but it is a PNG"),
        (uri("image/svg+xml", b"<!DOCTYPE html><script>"), "but it is HTML"),
        (uri("image/webp", &fixture("lossy.avif")), "but it is an AVIF"),
        (uri("image/png", &fixture("animated.png")), "it is animated"),
        (uri("image/webp", &fixture("animated.webp")), "it is animated"),
        (uri("image/png", &fixture("vast.png")), "it is 30000x30000; at most 16000000 pixels"),
        (uri("image/png", &png[..500]), "it is not a whole png"),
        (uri("image/jpeg", &fixture("rgb.jpg")[..200]), "it is not a whole jpeg"),
        (uri("image/png", &[&png[..], &vec![0; MAX_BYTES]].concat()), "at most 2097152 are allowed"),
    ] {
        let said = said(&uri);
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn shapes_that_may_not_be_are_named() {
    for (inside, words) in [
        ("<text>hello</text>", "text is not drawn; convert it to paths"),
        ("<g><tspan>hello</tspan></g>", "text is not drawn"),
        ("<image href='file:///etc/passwd'/>", "pictures within it are not drawn"),
        ("<image xlink:href='http://127.0.0.1/x.png'/>", "pictures within it are not drawn"),
        ("<foreignObject/>", "`foreignObject` is not drawn"),
        ("<script>alert(1)</script>", "`script` is not drawn"),
        ("<filter id='f'><feGaussianBlur stdDeviation='9999'/></filter>", "`filter` is not drawn"),
        ("<pattern id='p'/>", "`pattern` is not drawn"),
        ("<mask id='m'/>", "`mask` is not drawn"),
        ("<marker id='m'/>", "`marker` is not drawn"),
        ("<animate/>", "`animate` is not drawn"),
        ("<rect width='9' height='9' style='filter:blur(9px)'/>", "filters, masks and patterns"),
        ("<rect width='9' height='9' stroke='#000' stroke-dasharray='.001'/>", "dashed lines"),
        ("<use href='other.svg#a'/>", "something outside of it"),
        ("<style>@import 'http://127.0.0.1/'; rect{}</style><rect/>", "more than plain rules"),
        ("<style>rect{clip-path:url(#c)}</style><rect/>", "clips by something else than a class"),
        ("", "nothing to see in it"),
        ("<rect width='9'", "not well-formed"),
    ] {
        let error = shapes(inside).unwrap_err().to_string();
        assert!(error.starts_with("SVG: ") && error.contains(words), "{inside}: {error}");
    }
}

#[test]
fn other_roots_sizes_and_entities_are_refused() {
    let ns = "xmlns='http://www.w3.org/2000/svg'";
    for (text, words) in [
        ("<?xml version='1.0'?><note/>".to_owned(), "its root is not `svg`"),
        ("<svg viewBox='0 0 9 9'><rect/></svg>".to_owned(), "its root is not `svg`"),
        (format!("<svg {ns} width='0' height='0'/>"), "it cannot be read"),
        (format!("<svg {ns} width='1e9' height='1'><rect width='9' height='9'/></svg>"), "long and thin"),
        (
            format!(
                "<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg {ns}><title>&a;</title></svg>"
            ),
            "entities are not read",
        ),
    ] {
        let error = Artwork::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let plain_doctype = format!(
        "<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' \
         'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'><svg {ns} width='9' height='9'><path d='M0 0h9v9z'/></svg>"
    );
    assert!(Artwork::read(plain_doctype.as_bytes()).is_ok());
    assert!(Artwork::read(b"<svg \xff\xfe/>").unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn bombs_are_refused_before_they_are_drawn() {
    let line = |count: usize, make: &dyn Fn(usize) -> String| (0..count).map(make).collect::<String>();
    let doubling =
        line(20, &|n| format!("<g id='a{n}'><use href='#a{m}'/><use href='#a{m}'/></g>", m = n + 1))
            + "<rect id='a20' width='9' height='9'/>";
    let chain = line(5000, &|n| format!("<use id='a{n}' href='#a{}'/>", n + 1));
    let clips = line(5000, &|n| {
        format!("<clipPath id='c{n}' clip-path='url(#c{})'><rect width='9' height='9'/></clipPath>", n + 1)
    });
    let nested = "<g>".repeat(3000) + &"</g>".repeat(3000);
    let covering = "<rect width='100' height='50' fill='#123'/>".repeat(400);
    let layers = "<g opacity='.5'>".repeat(60) + "<rect width='100' height='50'/>" + &"</g>".repeat(60);
    let jagged = format!("<path d='M0 0{}'/>", "L9 9L0 9".repeat(70_000));
    let rules = format!("<style>{}</style><rect/>", ".a{fill:red}".repeat(600));
    let copied = format!("<style>{}.a{{{}}}</style><rect/>", ".a,".repeat(400), "fill:red;".repeat(400));
    // No element is within an `a`, so every way of choosing 30 of 60 groups would be tried.
    let upwards = format!("<style>a {}rect{{fill:red}}</style>", "g ".repeat(30))
        + &"<g>".repeat(60)
        + "<rect width='9' height='9'/>"
        + &"</g>".repeat(60);
    let wide = format!("<style>{}</style>", "a g rect{fill:red}".repeat(400))
        + &"<g>".repeat(20)
        + &"<rect width='9' height='9'/>".repeat(4000)
        + &"</g>".repeat(20);
    let tall = "<g>".repeat(60) + "<rect width='9' height='9'/>" + &"</g>".repeat(60);
    let long = format!("a {}rect", "g ".repeat(30));
    let elsewhere = format!("<x:style xmlns:x='u'>{long}{{fill:red}}</x:style>{tall}");
    let behind_comments = format!("<style>b{{x:\"/*\"}} {long}{{fill:red}} b{{y:\"*/\"}}</style>{tall}");
    let behind_braces = format!("<style>[x='{{'] {long}{{fill:red}}</style>{tall}");
    let by_attribute = format!("<style>[x] {long}{{fill:red}}</style>{tall}");
    let neighbours = "<style>a+rect{fill:red}</style><rect width='9' height='9'/>";
    for (inside, words) in [
        (doubling.as_str(), "more than 20000 elements"),
        (&chain, "nested more than 64 deep"),
        ("<g id='a'><use href='#a'/></g>", "nested more than 64 deep"),
        (&clips, "clip paths within clip paths"),
        (&nested, "nested more than 64 deep"),
        (&covering, "takes too long"),
        (&layers, "takes too long"),
        (&jagged, "at most 524288 are allowed"),
        (&rules, "more than 500 rules"),
        (&copied, "declare too much"),
        (&upwards, "takes too long to apply"),
        (&wide, "takes too long to apply"),
        (neighbours, "more than names, classes and ids"),
        (&elsewhere, "takes too long to apply"),
        (&behind_comments, "more than plain rules"),
        (&behind_braces, "more than plain rules"),
        (&by_attribute, "more than names, classes and ids"),
    ] {
        let start = std::time::Instant::now();
        let error = shapes(inside).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(words), "{words}: {error}");
        assert!(start.elapsed().as_secs() < 5, "{words}: {:?}", start.elapsed());
    }
    let start = std::time::Instant::now();
    let usual = format!("<style>{}</style>", ".a g rect{fill:red}".repeat(30))
        + &"<rect width='1' height='1'/>".repeat(500);
    assert!(shapes(&usual).is_ok(), "what programs write is drawn");
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    let jagged = format!("<path d='M0 0{}'/>", "L9 9L0 9".repeat(55_000));
    assert!(shapes(&jagged).unwrap_err().to_string().contains("takes too long"));
}
