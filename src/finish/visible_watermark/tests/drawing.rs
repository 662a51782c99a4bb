//! Colours, transparency and turning.

use super::*;

/// IEC 61966-2-1, written out once more.
fn to_linear(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn to_srgb(linear: f64) -> u8 {
    let value = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (255.0 * value).round() as u8
}

fn mixed(under: u8, over: u8, alpha: f64) -> u8 {
    to_srgb(to_linear(under) * (1.0 - alpha) + to_linear(over) * alpha)
}

#[test]
fn opacity_0_changes_nothing_and_100_is_the_marks_own_colour() {
    let color = [201, 77, 3, 255];
    let mark = plain(64, 64, color);
    let mut at = watermark(Anchor::Center, 50, 0);
    let picture = drawn((100, 100), &mark, &at);
    assert_eq!(touched(&picture), (25, 25, 50, 50));
    assert!((25..75).all(|xy| picture.get_pixel(xy, xy).0 == color[..3]));
    at.opacity_percent = 0;
    assert!(drawn((100, 100), &mark, &at).pixels().all(|pixel| *pixel == GREY));
}

#[test]
fn half_opacity_is_half_the_light() {
    let mark = plain(10, 10, [255, 255, 255, 255]);
    let mut at = watermark(Anchor::Center, 50, 0);
    at.opacity_percent = 50;
    let black = RgbImage::new(100, 100);
    let mut picture = black.clone();
    draw(&mut picture, &mark, &at).unwrap();
    // Half the light of white is 188, not 128.
    assert_eq!(picture.get_pixel(50, 50), &Rgb([188; 3]));
    for opacity in [1, 13, 50, 87, 99] {
        at.opacity_percent = opacity;
        let color = [250, 128, 7, 255];
        let picture = drawn((100, 100), &plain(10, 10, color), &at);
        let due = [0, 1, 2].map(|channel| mixed(90, color[channel], f64::from(opacity) / 100.0));
        assert_eq!(picture.get_pixel(50, 50).0, due, "{opacity} %");
    }
}

#[test]
fn a_marks_own_transparency_and_the_opacity_multiply() {
    let mut at = watermark(Anchor::Center, 50, 0);
    at.opacity_percent = 40;
    let picture = drawn((100, 100), &plain(10, 10, [0, 200, 255, 51]), &at);
    let due = [0, 200, 255].map(|value| mixed(90, value, 0.4 * 0.2));
    assert_eq!(picture.get_pixel(50, 50).0, due);
}

/// Where it is clear, a mark's colour has no say: a white disc on clear black must not get a dark rim.
#[test]
fn soft_edges_have_no_fringe() {
    let disc = RgbaImage::from_fn(300, 300, |x, y| {
        let far = (f64::from(x) - 150.0).hypot(f64::from(y) - 150.0);
        if far < 120.0 { Rgba([255, 255, 255, 255]) } else { Rgba([0, 0, 0, 0]) }
    });
    for angle in [0, 33] {
        for size in [40, 97, 600] {
            let picture = drawn((size, size), &mark(&disc), &watermark(Anchor::Center, 90, angle));
            let darkest = picture.pixels().map(|pixel| pixel[0]).min().unwrap();
            assert_eq!(darkest, GREY[0], "{angle} degrees at {size}");
            assert_eq!(picture.get_pixel(size / 2, size / 2), &Rgb([255; 3]));
        }
    }
}

/// Averages are of light: a fine black and white pattern drawn small is as light as it looks from afar.
#[test]
fn shrinking_keeps_the_light() {
    let board = RgbaImage::from_fn(800, 800, |x, y| {
        let value = if (x + y) % 2 == 0 { 255 } else { 0 };
        Rgba([value, value, value, 255])
    });
    let picture = drawn((200, 200), &mark(&board), &watermark(Anchor::Center, 50, 0));
    let middle = picture.get_pixel(100, 100);
    assert!(middle[0].abs_diff(188) <= 1, "{middle:?}");
}

/// Four colours in the corners, so that each turn shows.
fn corners() -> RgbaImage {
    RgbaImage::from_fn(40, 20, |x, y| {
        Rgba(match (x < 20, y < 10) {
            (true, true) => [255, 0, 0, 255],
            (false, true) => [0, 255, 0, 255],
            (true, false) => [0, 0, 255, 255],
            (false, false) => [255, 255, 0, 255],
        })
    })
}

#[test]
fn quarter_turns_are_exact_and_clockwise() {
    let upright = drawn((100, 100), &mark(&corners()), &watermark(Anchor::Center, 40, 0));
    assert_eq!(touched(&upright), (30, 40, 40, 20));
    for (angles, turned) in [
        ([0, 360, -360], upright.clone()),
        ([90, -270, 90], image::imageops::rotate90(&upright)),
        ([180, -180, 180], image::imageops::rotate180(&upright)),
        ([270, -90, 270], image::imageops::rotate270(&upright)),
    ] {
        for angle in angles {
            let picture = drawn((100, 100), &mark(&corners()), &watermark(Anchor::Center, 40, angle));
            assert!(picture == turned, "{angle}");
        }
    }
}

#[test]
fn any_angle_turns_clockwise_and_pixels_and_shapes_agree() {
    let quads = "<rect width='50' height='25' fill='#f00'/><rect x='50' width='50' height='25' fill='#0f0'/>\
                 <rect y='25' width='50' height='25' fill='#00f'/>\
                 <rect x='50' y='25' width='50' height='25' fill='#ff0'/>";
    for angle in [-150, -45, 10, 45, 100, 225] {
        let at = watermark(Anchor::Center, 40, angle);
        let by_pixels = drawn((500, 500), &mark(&corners()), &at);
        let by_shapes = drawn((500, 500), &shapes(quads).unwrap(), &at);
        let (sin, cos) = f64::from(angle).to_radians().sin_cos();
        for (dx, dy, color) in [
            (-50.0, -25.0, [255, 0, 0]),
            (50.0, -25.0, [0, 255, 0]),
            (-50.0, 25.0, [0, 0, 255]),
            (50.0, 25.0, [255, 255, 0]),
        ] {
            let x = (250.0 + cos * dx - sin * dy) as u32;
            let y = (250.0 + sin * dx + cos * dy) as u32;
            assert_eq!(by_pixels.get_pixel(x, y).0, color, "{angle}: pixels at {x}, {y}");
            assert_eq!(by_shapes.get_pixel(x, y).0, color, "{angle}: shapes at {x}, {y}");
        }
    }
}

#[test]
fn shapes_are_sharp_at_every_size() {
    // One thin line across: scaled up as pixels it would be soft.
    let line = shapes("<rect y='24' width='100' height='2'/>").unwrap();
    let picture = drawn((1000, 1000), &line, &watermark(Anchor::Center, 100, 0));
    let column: Vec<u8> = (0..1000).map(|y| picture.get_pixel(500, y)[0]).collect();
    assert_eq!(column.iter().filter(|value| **value == 0).count(), 20);
    assert_eq!(column.iter().filter(|value| **value == GREY[0]).count(), 980);
}

#[test]
fn gradients_classes_clips_and_use_are_drawn() {
    let art = shapes(
        "<style>/* as drawing programs write */ .a{fill:#fff} .b{clip-path:url(#c)}</style>\
         <defs><linearGradient id='g'><stop stop-color='#000'/><stop offset='1' stop-color='#fff'/>\
         </linearGradient><clipPath id='c'><use xlink:href='#r'/></clipPath>\
         <rect id='r' width='50' height='50'/></defs>\
         <rect class='a' width='100' height='50'/><g class='b'><rect width='100' height='50' fill='url(#g)'/></g>",
    )
    .unwrap();
    let picture = drawn((200, 100), &art, &watermark(Anchor::Center, 100, 0));
    assert_eq!(picture.get_pixel(150, 50), &Rgb([255; 3]), "beyond the clip");
    assert!((50..80).contains(&picture.get_pixel(50, 50)[0]), "{:?}", picture.get_pixel(50, 50));
}

#[test]
fn every_kind_of_file_is_drawn() {
    let pixels = RgbImage::from_pixel(64, 64, Rgb([10, 200, 30]));
    for format in [Format::Png, Format::Jpeg, Format::Webp] {
        let bytes = crate::finish::encode(&pixels, &Output { format, quality: 100, lossless: true }).unwrap();
        let picture = drawn((100, 100), &Artwork::read(&bytes).unwrap(), &watermark(Anchor::Center, 50, 0));
        let found = picture.get_pixel(50, 50).0;
        assert!(found.iter().zip([10, 200, 30]).all(|(a, b)| a.abs_diff(b) <= 3), "{format:?}: {found:?}");
    }
}
