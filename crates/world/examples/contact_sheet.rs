//! Draws a sheet of pictures to look at: `contact_sheet OUT.png [TOPIC|all] [COUNT] [SEED]`; `-` only draws.

use std::time::Instant;

use tiny_skia::{FilterQuality, IntSize, Pixmap, PixmapPaint, Transform};
use world::{TOPICS, World, WorldConfig};

const COLUMN: f32 = 236.0;
const GAP: f32 = 10.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = arguments.first().map_or("sheet.png", String::as_str);
    let topic = arguments
        .get(1)
        .and_then(|name| TOPICS.iter().position(|topic| name != "all" && topic.name.contains(name.as_str())));
    let count = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(24);
    let seed = arguments.get(3).and_then(|text| text.parse().ok()).unwrap_or(1);
    let world = World::new(WorldConfig::new(seed, 1_800_000_000_000));
    let pins: Vec<u32> =
        (0..3_000).filter(|&pin| topic.is_none_or(|topic| world.topic_of(pin) == topic)).take(count).collect();
    let (mut took, mut bytes) = (0.0, 0);
    let mut placed = Vec::new();
    let columns = 6usize;
    let mut heights = vec![GAP; columns];
    for pin in pins {
        let start = Instant::now();
        let drawing = world.draw(pin);
        took += start.elapsed().as_secs_f64();
        if out == "-" {
            continue;
        }
        bytes += drawing.to_png().len();
        let column = (0..columns).min_by(|&a, &b| heights[a].total_cmp(&heights[b])).unwrap_or(0);
        let (x, y) = (GAP + column as f32 * (COLUMN + GAP), heights[column]);
        heights[column] += drawing.height as f32 * COLUMN / drawing.width as f32 + GAP;
        placed.push((x, y, drawing));
    }
    if placed.is_empty() {
        println!("{:.1} ms each", took * 1e3 / count as f64);
        return;
    }
    let height = heights.iter().copied().fold(0.0, f32::max);
    let mut sheet = Pixmap::new((columns as f32 * (COLUMN + GAP) + GAP) as u32, height as u32).expect("a sheet");
    sheet.fill(tiny_skia::Color::WHITE);
    let paint = PixmapPaint { quality: FilterQuality::Bicubic, ..PixmapPaint::default() };
    for (x, y, drawing) in &placed {
        let size = IntSize::from_wh(drawing.width, drawing.height).expect("a size");
        let picture = Pixmap::from_vec(drawing.rgba.clone(), size).expect("a picture");
        let scale = COLUMN / drawing.width as f32;
        sheet.draw_pixmap(
            0,
            0,
            picture.as_ref(),
            &paint,
            Transform::from_scale(scale, scale).post_translate(*x, *y),
            None,
        );
    }
    sheet.save_png(out).expect("the sheet is written");
    let number = placed.len().max(1);
    println!("{number} pictures, {:.1} ms each, {} kB PNG each", took * 1e3 / number as f64, bytes / number / 1_000);
}
