//! `imgen finish`: everything that happens to a picture after it was drawn, on any picture, without a server.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use image::{RgbImage, RgbaImage};
use serde_json::json;
use time::OffsetDateTime;

use super::files::{self, Staged};
use super::{Failure, LOCAL_LIMITS};
use crate::config::Config;
use crate::config::complaints::Complaints;
use crate::credentials::{Credentials, DigitalSourceType, Opened, Provenance};
use crate::finish::decode::{Kind, decode_rgba, sniff};
use crate::finish::{Artwork, Finished, Task, Tools, finish};
use crate::plan::{self, Anchor, Format, Output, Watermark, record_name};
use crate::store::ids;

/// What `imgen finish` takes.
#[derive(Debug, Clone, Args)]
pub struct FinishArgs {
    /// The picture: JPEG, PNG, WebP or AVIF. Its colours are taken for sRGB, and what is transparent becomes white
    #[arg(value_name = "FILE")]
    pub picture: PathBuf,
    /// Where the finished picture goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Where its thumbnail goes
    #[arg(long, value_name = "FILE")]
    pub thumbnail: Option<PathBuf>,
    /// Format [default: as --out is named]
    #[arg(long)]
    pub format: Option<FormatName>,
    /// Compression quality
    #[arg(long, default_value_t = 95, allow_negative_numbers = true, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: u8,
    /// Lossless compression (WebP, AVIF)
    #[arg(long)]
    pub lossless: bool,
    /// The invisible mark's payload, 16 hexadecimal digits [default: drawn by chance]
    #[arg(long, value_name = "HEX16", value_parser = record)]
    pub record: Option<u64>,
    /// Visible watermark: PNG, JPEG, WebP or SVG [default: the configured brand mark]
    #[arg(long, value_name = "FILE")]
    pub wm_image: Option<PathBuf>,
    /// Its anchor, such as top-left or center
    #[arg(long, default_value = "bottom-right", value_parser = anchor)]
    pub wm_position: Anchor,
    /// Its width, in percent of the picture's
    #[arg(long, default_value_t = 5, allow_negative_numbers = true, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub wm_scale: u8,
    /// Its opacity in percent
    #[arg(long, default_value_t = 100, allow_negative_numbers = true, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub wm_transparency: u8,
    /// Its rotation in degrees
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i16).range(-360..=360))]
    pub wm_rotation: i16,
    /// Its distance from the left or right edge, in pixels
    #[arg(long, default_value_t = 10, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(0..=500))]
    pub wm_padding_x: u16,
    /// Its distance from the upper or lower edge, in pixels
    #[arg(long, default_value_t = 10, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(0..=500))]
    pub wm_padding_y: u16,
    /// Author in the content credentials
    #[arg(long, default_value = "")]
    pub cs_author: String,
    /// Title
    #[arg(long, default_value = "")]
    pub cs_title: String,
    /// Description
    #[arg(long, default_value = "")]
    pub cs_description: String,
    /// Organization
    #[arg(long, default_value = "")]
    pub cs_organization: String,
    /// Vendor
    #[arg(long, default_value = "")]
    pub cs_vendor: String,
    /// Where the picture comes from, in IPTC's words (digitalCapture for a photograph): what the content credentials claim
    /// [default: trainedAlgorithmicMedia, and of a signed picture what it came with]
    #[arg(long, value_name = "NAME", value_parser = source_type)]
    pub source_type: Option<DigitalSourceType>,
    /// Do not sign
    #[arg(long)]
    pub no_c2pa: bool,
    /// Set no invisible mark
    #[arg(long)]
    pub no_mark: bool,
}

/// Formats by their names in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    #[value(alias = "jpg")]
    Jpeg,
    Png,
    Webp,
    Avif,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Jpeg => Self::Jpeg,
            FormatName::Png => Self::Png,
            FormatName::Webp => Self::Webp,
            FormatName::Avif => Self::Avif,
        }
    }
}

/// Finishes one picture and prints one line of JSON about it.
///
/// # Errors
/// A sentence for the terminal: a picture or a watermark that cannot be read, credentials that cannot sign, a mark that
/// could not be read back, a file that cannot be written.
pub fn run(arguments: &FinishArgs, config: &Config) -> Result<(), Failure> {
    let output = output(arguments)?;
    let bytes = files::read(&arguments.picture)?;
    let picture =
        flatten(&decode_rgba(&bytes, &LOCAL_LIMITS).map_err(|error| at(&arguments.picture, &error))?);
    let artwork = match &arguments.wm_image {
        Some(path) => Some(artwork(path)?),
        None => brand_mark(config)?,
    };
    let watermark = watermark(arguments);
    let now = OffsetDateTime::now_utc();
    let credentials = match arguments.no_c2pa {
        true => None,
        false => Some(Credentials::open(&config.c2pa, &config.store.data_dir, now)?),
    };
    let payload = match arguments.record {
        Some(record) => record,
        None => u64::from_be_bytes(ids::os_random()?),
    };
    let scheme = if arguments.no_mark { None } else { Some(config.mark.open()?) };
    let opened = credentials.as_ref().and_then(|credentials| opened(credentials, bytes));
    if opened.is_some() && arguments.source_type.is_some() {
        return Err(
            "--source-type: the picture is signed already, and its own credentials say where it comes from"
                .into(),
        );
    }
    let (width, height) = picture.dimensions();
    let task = Task {
        visible_mark: artwork.as_ref().map(|artwork| (artwork, &watermark)),
        output: &output,
        payload,
        provenance: &Provenance { opened, ..provenance(arguments, payload, now) },
    };
    let tools = Tools {
        mark: scheme.as_deref(),
        credentials: credentials.as_ref(),
        avif: config.finish.avif_encoder,
    };
    let finished = finish(picture, &task, tools)?;
    if !arguments.no_mark && finished.mark.is_none() {
        return Err(format!(
            "the invisible mark cannot be read back out of {width}x{height} pixels at --quality {}; see --no-mark",
            arguments.quality
        )
        .into());
    }
    let mut staged = vec![Staged::new(&arguments.out, &finished.picture.bytes)?];
    if let Some(path) = &arguments.thumbnail {
        staged.push(Staged::new(path, &finished.thumbnail.bytes)?);
    }
    staged.into_iter().try_for_each(Staged::publish)?;
    writeln!(std::io::stdout().lock(), "{}", told(&finished, payload))?;
    Ok(())
}

fn told(finished: &Finished, payload: u64) -> serde_json::Value {
    let manifest_id = &finished.picture.manifest_id;
    json!({
        "fingerprint": finished.fingerprint.hex,
        "fingerprint_quality": finished.fingerprint.quality,
        "record": finished.mark.as_ref().map(|_| record_name(payload)),
        "bit_errors": finished.mark.as_ref().map(|mark| mark.bit_errors),
        "strength": finished.mark.as_ref().map(|mark| mark.strength),
        "manifest": (!manifest_id.is_empty()).then_some(manifest_id),
        "bytes": finished.picture.bytes.len(),
    })
}

/// A picture that the service did not draw: no model, no recipe.
fn provenance(arguments: &FinishArgs, payload: u64, when: OffsetDateTime) -> Provenance {
    Provenance {
        credentials: plan::Credentials {
            author: arguments.cs_author.clone(),
            title: arguments.cs_title.clone(),
            description: arguments.cs_description.clone(),
            organization: arguments.cs_organization.clone(),
            vendor: arguments.cs_vendor.clone(),
        },
        source_type: arguments.source_type.unwrap_or(DigitalSourceType::TRAINED_ALGORITHMIC_MEDIA),
        ..Provenance::new(
            format!("finish/{}/{}", record_name(payload), when.unix_timestamp_nanos()),
            when.replace_nanosecond(0).unwrap_or(when),
        )
    }
}

fn output(arguments: &FinishArgs) -> Result<Output, Failure> {
    let format = match arguments.format {
        Some(name) => name.into(),
        None => {
            let extension = arguments.out.extension().and_then(|text| text.to_str()).unwrap_or_default();
            let name = FormatName::from_str(extension, true);
            name.map_err(|_| format!("{}: name a format with --format", arguments.out.display()))?.into()
        }
    };
    if arguments.lossless && format == Format::Jpeg {
        return Err("--lossless: jpeg is never lossless; see --format".into());
    }
    Ok(Output { format, quality: arguments.quality, lossless: arguments.lossless })
}

fn watermark(arguments: &FinishArgs) -> Watermark {
    Watermark {
        image_sha256: None,
        position: arguments.wm_position,
        scale_percent: arguments.wm_scale,
        opacity_percent: arguments.wm_transparency,
        rotation_degrees: arguments.wm_rotation,
        padding_x_px: arguments.wm_padding_x,
        padding_y_px: arguments.wm_padding_y,
    }
}

/// What is transparent shows the white of paper, as browsers show it.
fn flatten(picture: &RgbaImage) -> RgbImage {
    let over_white = |value: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (to, from) in flat.pixels_mut().zip(picture.pixels()) {
        let [r, g, b, alpha] = from.0;
        to.0 = [r, g, b].map(|value| over_white(value, alpha));
    }
    flat
}

/// The file as it came, where it was signed: its manifest becomes the parent of the new one.
fn opened(credentials: &Credentials, bytes: Vec<u8>) -> Option<Opened> {
    let Kind::Picture(format) = sniff(&bytes) else { return None };
    let content_type = format.content_type();
    credentials.read(&bytes, format).manifest_id.map(|_| Opened { bytes, content_type })
}

fn brand_mark(config: &Config) -> Result<Option<Artwork>, Failure> {
    let mut complaints = Complaints::default();
    let bytes = config.finish.open_brand_mark(&mut complaints);
    if let Some(complaint) = complaints.0.first() {
        return Err(complaint.to_string().into());
    }
    let read =
        |bytes: bytes::Bytes| Artwork::read(&bytes).map_err(|error| format!("finish.brand_mark: {error}"));
    Ok(bytes.map(read).transpose()?)
}

fn artwork(path: &Path) -> Result<Artwork, Failure> {
    let place = |error: &dyn std::fmt::Display| format!("--wm-image: {}: {error}", path.display());
    let bytes = files::read(path).map_err(|error| format!("--wm-image: {error}"))?;
    Ok(Artwork::read(&bytes).map_err(|error| place(&error))?)
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn record(text: &str) -> Result<u64, String> {
    let whole = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = whole.then(|| u64::from_str_radix(text, 16).ok()).flatten();
    number.ok_or_else(|| "expected 16 hexadecimal digits".to_owned())
}

fn source_type(name: &str) -> Result<DigitalSourceType, String> {
    let known = || DigitalSourceType::all().map(DigitalSourceType::name).collect::<Vec<_>>().join(", ");
    DigitalSourceType::named(name).ok_or_else(|| format!("unknown source type; known are {}", known()))
}

fn anchor(name: &str) -> Result<Anchor, String> {
    let known = Anchor::ALL.map(Anchor::name).join(", ");
    Anchor::named(name).ok_or_else(|| format!("unknown anchor; known are {known}"))
}
