fn main() {
    let world = world::World::new(world::WorldConfig {
        pins: 3000,
        pinners: 100,
        events: 0,
        ..world::WorldConfig::new(7, 1_700_000_000_000)
    });
    let t = std::time::Instant::now();
    let d: Vec<_> = (0..100).map(|i| world.draw(i * 30)).collect();
    println!("draw {:?}", t.elapsed() / 100);
    let t = std::time::Instant::now();
    let p: Vec<_> = d.iter().map(|d| d.to_png()).collect();
    println!("png {:?} {} bytes", t.elapsed() / 100, p.iter().map(Vec::len).sum::<usize>() / 100);
    let t = std::time::Instant::now();
    let c: Vec<_> = p.iter().map(|p| content::understand(&domain::Pin::default(), Some(p)).unwrap()).collect();
    println!(
        "understand {:?} {}",
        t.elapsed() / 100,
        c.iter().map(|c| c.thumbnail.as_ref().map_or(0, Vec::len)).sum::<usize>() / 100
    );
    let t = std::time::Instant::now();
    let c: Vec<_> = p.iter().map(|p| content::Picture::decode(p).unwrap()).collect();
    println!("decode {:?}", t.elapsed() / 100);
    let t = std::time::Instant::now();
    let _: Vec<_> = c.iter().map(|p| p.thumbnail().unwrap()).collect();
    println!("thumb {:?}", t.elapsed() / 100);
}
