//! Where a mark lands and how large it is.

use super::*;

#[test]
fn each_anchor_to_the_pixel() {
    // A red mark of 2 to 1, a tenth as wide as the picture: 40x20 of 400x300.
    let red = plain(200, 100, [255, 0, 0, 255]);
    for (anchor, left, top) in [
        (Anchor::TopLeft, 10, 20),
        (Anchor::TopCenter, 180, 20),
        (Anchor::TopRight, 350, 20),
        (Anchor::CenterLeft, 10, 140),
        (Anchor::Center, 180, 140),
        (Anchor::CenterRight, 350, 140),
        (Anchor::BottomLeft, 10, 260),
        (Anchor::BottomCenter, 180, 260),
        (Anchor::BottomRight, 350, 260),
    ] {
        let picture = drawn((400, 300), &red, &watermark(anchor, 10, 0));
        assert_eq!(touched(&picture), (left, top, 40, 20), "{anchor:?}");
        assert!(picture.pixels().all(|pixel| *pixel == GREY || *pixel == Rgb([255, 0, 0])), "{anchor:?}");
    }
}

#[test]
fn scale_is_percent_of_the_pictures_width() {
    for (size, mark_size, scale, expected) in [
        ((1344, 768), (300, 300), 5, (67, 67)),
        ((1344, 768), (10, 10), 20, (269, 269)),
        ((768, 1344), (400, 100), 100, (768, 192)),
        ((1024, 1024), (77, 31), 33, (338, 136)),
        ((1344, 768), (1000, 1), 1, (13, 1)),
        // Too high: it becomes smaller until it fits.
        ((1344, 768), (100, 100), 100, (768, 768)),
        ((1344, 768), (100, 400), 90, (192, 768)),
    ] {
        let mark = plain(mark_size.0, mark_size.1, [255, 255, 0, 255]);
        let mut at = watermark(Anchor::Center, scale, 0);
        (at.padding_x_px, at.padding_y_px) = (0, 0);
        let (_, _, width, height) = touched(&drawn(size, &mark, &at));
        assert!(
            width.abs_diff(expected.0) <= 1 && height.abs_diff(expected.1) <= 1,
            "{size:?} {mark_size:?} {scale} %: {width}x{height}"
        );
    }
}

#[test]
fn a_turned_mark_stays_inside_at_every_anchor_and_angle() {
    let pixels = plain(120, 40, [250, 20, 20, 255]);
    let vector = shapes("<rect width='100' height='50' fill='#fa1414'/>").unwrap();
    for anchor in Anchor::ALL {
        for angle in [-360, -271, -180, -93, -45, -1, 1, 17, 30, 45, 60, 89, 90, 135, 200, 270, 300, 359] {
            for (scale, padding) in [(5, 10), (40, 500), (100, 0), (100, 500)] {
                let mut at = watermark(anchor, scale, angle);
                (at.padding_x_px, at.padding_y_px) = (padding, padding);
                for mark in [&pixels, &vector] {
                    let place = placement::place((256, 160), mark.size(), &at);
                    assert!(place.left_px + place.width_px <= 256, "{at:?} {place:?}");
                    assert!(place.top_px + place.height_px <= 160, "{at:?} {place:?}");
                    // The corners of the turned mark lie within its box.
                    let (sin, cos) = placement::sin_cos(angle);
                    let (wide, high) = (f64::from(place.mark_width_px), f64::from(place.mark_height_px));
                    assert!((wide * cos).abs() + (high * sin).abs() < f64::from(place.width_px) + 1.0);
                    assert!((wide * sin).abs() + (high * cos).abs() < f64::from(place.height_px) + 1.0);
                }
            }
        }
    }
}

#[test]
fn a_turned_mark_touches_the_padding_of_its_anchor() {
    let red = plain(100, 50, [255, 0, 0, 255]);
    let vector = shapes("<rect width='100' height='50' fill='red'/>").unwrap();
    for angle in [-45, 30, 45, 120] {
        for mark in [&red, &vector] {
            let (left, top, width, height) =
                touched(&drawn((600, 400), mark, &watermark(Anchor::BottomRight, 20, angle)));
            assert!((589..=590).contains(&(left + width)), "{angle}: {}", left + width);
            assert!((379..=380).contains(&(top + height)), "{angle}: {}", top + height);
            // 120x60 turned.
            let (sin, cos) = f64::from(angle).to_radians().sin_cos();
            let box_width = 120.0 * cos.abs() + 60.0 * sin.abs();
            assert!((f64::from(width) - box_width).abs() < 2.0, "{angle}: {width} for {box_width}");
        }
    }
}

#[test]
fn padding_stops_at_the_edge_and_is_nothing_in_the_middle() {
    let red = plain(10, 10, [255, 0, 0, 255]);
    let mut at = watermark(Anchor::TopLeft, 10, 0);
    (at.padding_x_px, at.padding_y_px) = (500, 500);
    assert_eq!(touched(&drawn((200, 100), &red, &at)), (180, 80, 20, 20));
    at.position = Anchor::BottomRight;
    assert_eq!(touched(&drawn((200, 100), &red, &at)), (0, 0, 20, 20));
    at.position = Anchor::Center;
    assert_eq!(touched(&drawn((200, 100), &red, &at)), (90, 40, 20, 20));
    at.position = Anchor::TopCenter;
    assert_eq!(touched(&drawn((200, 100), &red, &at)), (90, 80, 20, 20));
}

#[test]
fn a_picture_of_one_pixel_can_be_marked() {
    for angle in [0, 45] {
        let picture =
            drawn((1, 1), &plain(30, 10, [255, 255, 255, 255]), &watermark(Anchor::TopLeft, 1, angle));
        assert_ne!(picture.get_pixel(0, 0), &GREY, "{angle}");
    }
}
