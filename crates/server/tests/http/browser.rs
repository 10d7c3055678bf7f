//! The pinner app in a real browser: choose, scroll, open, save, hide, search.

use crate::harness::{Nest, Server, empty, now_ms, populated};
use crate::webdriver::Browser;
use domain::{Action, EventId, Fact, TopicKind};
use serde_json::json;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::{World, WorldConfig};

/// A world with its pictures, and a model that has learned nothing so that every generator has something to say.
/// `BOWERBIRD_TEST_PINS` makes it larger, `BOWERBIRD_TEST_SHOTS` names a folder for pictures of the pages.
fn painted() -> Nest {
    let pins = std::env::var("BOWERBIRD_TEST_PINS").ok().and_then(|pins| pins.parse().ok()).unwrap_or(160);
    let world =
        World::new(WorldConfig { pins, pinners: 60, events: pins * 12, ..WorldConfig::new(23, now_ms() - 60_000) });
    let nest = empty();
    let numbers: Vec<u32> = (0..pins).collect();
    std::thread::scope(|scope| {
        for part in numbers.chunks(numbers.len().div_ceil(4)) {
            let (nest, world) = (&nest, &world);
            scope.spawn(move || part.iter().for_each(|&number| paint(nest, world, number)));
        }
    });
    fill_events(&nest, &world);
    let config = models::ModelConfig { id_rows: 64, ..models::ModelConfig::default() };
    let model = models::Model::untrained(config, 1).unwrap();
    nest.consumer.views().install(Arc::new(model)).unwrap();
    nest
}

/// A browser; without one the test is skipped, and says so past libtest, which keeps what passing tests print.
fn browser(width: u32, height: u32, phone: bool) -> Option<Browser> {
    let browser = Browser::start(width, height, phone);
    if browser.is_none() {
        _ = writeln!(std::io::stderr(), "skipped a browser test: no chromedriver on this machine");
    }
    browser
}

fn paint(server: &Server, world: &World, number: u32) {
    let png = world.draw(number).to_png();
    let mut pin = world.pin(number);
    let content = content::Embedder::default().understand(&pin, Some(&png)).unwrap();
    let (mut understood, key) = (content.understood, server::picture_key(&png).unwrap());
    let put = |key: &str, bytes| server.blobs.put(key, bytes);
    server::keep_thumbnails(&mut understood, &key, content.thumbnails, put).unwrap();
    server.blobs.put(&key, png).unwrap();
    pin.image = Some(key);
    let id = EventId::new(now_ms(), u128::from(number) * 2);
    let facts = [(id, Fact::Pin(pin)), (EventId(id.0 + 1), Fact::Understood(understood))];
    server.log.append(&facts).unwrap();
}

fn fill_events(server: &Server, world: &World) {
    let rest: Vec<_> = world.facts().filter(|(_, fact)| !matches!(fact, Fact::Pin(_))).collect();
    server.log.append(&rest).unwrap();
    server.settle();
}

fn shoot(browser: &Browser, name: &str) {
    let Ok(folder) = std::env::var("BOWERBIRD_TEST_SHOTS") else { return };
    // Pictures fade in; a screenshot wants them all.
    std::thread::sleep(Duration::from_millis(900));
    std::fs::write(format!("{folder}/{name}.png"), browser.screenshot()).unwrap();
}

/// Cards of the page below the close-up: placed, inside the window's width, none on another.
fn check_wall(browser: &Browser, context: &str) {
    let report = browser.run(
        "const boxes = [...document.querySelectorAll('main .card')].map((c) => c.getBoundingClientRect());
         const wide = document.documentElement.clientWidth;
         let overlaps = 0, outside = 0, flat = 0;
         boxes.forEach((a, i) => {
           if (a.left < -1 || a.right > wide + 1) outside++;
           if (a.height < 60) flat++;
           boxes.slice(i + 1).forEach((b) => {
             if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) overlaps++;
           });
         });
         return { count: boxes.length, overlaps, outside, flat };",
    );
    assert_eq!(
        (&report["overlaps"], &report["outside"], &report["flat"]),
        (&json!(0), &json!(0), &json!(0)),
        "{context}: {report}"
    );
}

fn events_of(server: &Server, pinner: &str, action: Action) -> usize {
    let facts = server.log.read(TopicKind::Events, 0, usize::MAX).unwrap();
    let theirs = |fact: &Fact| matches!(fact, Fact::Event(event) if event.pinner == pinner && event.action == action);
    facts.iter().filter(|(_, _, fact)| theirs(fact)).count()
}

fn wait_for_event(server: &Server, pinner: &str, action: Action, before: usize) {
    let until = Instant::now() + Duration::from_secs(10);
    while events_of(server, pinner, action) <= before {
        assert!(Instant::now() < until, "no {action} of {pinner} arrived");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const CARDS: &str = "document.querySelectorAll('main .wall .card.placed').length";

#[test]
fn a_pinner_chooses_scrolls_opens_saves_hides_and_searches() {
    let Some(browser) = browser(1400, 950, false) else { return };
    let nest = painted();
    let base = format!("http://{}", nest.address);

    browser.open(&base);
    browser.wait("document.querySelectorAll('.tile').length >= 6");
    shoot(&browser, "choose");
    browser.click(".tile");
    browser.wait(&format!("{CARDS} >= 20"));
    let pinner = browser.run("return document.body.dataset.pinner").as_str().unwrap().to_owned();
    browser.wait("[...document.images].slice(0, 6).every((image) => image.complete && image.naturalWidth > 0)");
    check_wall(&browser, "the feed");
    shoot(&browser, "feed");

    scroll(&browser);
    wait_for_event(&nest, &pinner, Action::Impression, 0);
    open_and_leave(&browser, &nest, &pinner);
    save_to_a_new_board(&browser, &nest, &pinner);
    hide(&browser, &base, &pinner);
    search(&browser, &nest);
    boards(&browser, &base, &pinner);
    in_the_dark(&browser, &base, &pinner);
    assert_eq!(browser.complaints(), [""; 0], "the browser has nothing to complain about");
}

fn scroll(browser: &Browser) {
    let before = browser.run(&format!("return {CARDS}")).as_u64().unwrap();
    browser.run("window.scrollTo(0, document.documentElement.scrollHeight)");
    browser.wait(&format!("{CARDS} > {before}"));
    check_wall(browser, "after scrolling");
    let repeated = "const ids = [...document.querySelectorAll('main .card')].map((c) => c.dataset.pin);
                    return ids.length - new Set(ids).size;";
    assert_eq!(browser.run(repeated), 0, "no card twice");
    browser.run("window.scrollTo(0, 0)");
}

fn open_and_leave(browser: &Browser, nest: &Nest, pinner: &str) {
    let before = events_of(nest, pinner, Action::Closeup);
    let home = browser.url();
    browser.click("main .card .open");
    browser.wait("document.querySelector('dialog[open] .closeup h1')");
    browser.wait("document.querySelectorAll('dialog[open] .wall .card.placed').length > 5");
    assert!(browser.url().contains("/pin/"), "the close-up has an address: {}", browser.url());
    browser.wait("document.querySelector('dialog[open] .picture img').naturalWidth > 0");
    shoot(browser, "closeup");
    browser.click("dialog[open] .why summary");
    shoot(browser, "why");
    browser.run("document.querySelector('dialog[open]').scrollTo(0, 700)");
    shoot(browser, "related");
    let pin = browser.run("return document.querySelector('dialog[open] .closeup').dataset.pin");
    let first = format!("document.querySelector('dialog[open] .closeup').dataset.pin === {pin}");
    browser.click("dialog[open] .wall .card .open");
    browser.wait(&format!("!({first})"));
    browser.back();
    browser.wait(&first);
    browser.click("dialog[open] [data-do=close]");
    browser.wait("!document.querySelector('dialog[open]')");
    assert_eq!(browser.url(), home, "back where it was");
    wait_for_event(nest, pinner, Action::Closeup, before);
}

fn save_to_a_new_board(browser: &Browser, nest: &Nest, pinner: &str) {
    let before = events_of(nest, pinner, Action::Save);
    browser.run("window.prompt = () => 'A board of a test'");
    browser.click("main .card:nth-of-type(2) .open");
    browser.wait("document.querySelector('dialog[open] .closeup select')");
    browser.run("document.querySelector('dialog[open] select[name=board]').value = '+'");
    browser.click("dialog[open] .saver [data-do=save]");
    browser.wait("document.querySelector('dialog[open] .saver .done')");
    browser.wait("document.querySelector('.toast').textContent.includes('Saved to A board of a test')");
    shoot(browser, "saved");
    wait_for_event(nest, pinner, Action::Save, before);
    browser.back();
    browser.wait("!document.querySelector('dialog[open]')");
    assert_eq!(
        browser.run("return document.querySelector('main .card:nth-of-type(2)').classList.contains('saved')"),
        true
    );
}

fn hide(browser: &Browser, base: &str, pinner: &str) {
    let hidden = browser.run("return document.querySelector('main .card').dataset.pin").as_str().unwrap().to_owned();
    let there = format!("document.querySelector('main .card[data-pin=\"{hidden}\"]')");
    browser.click("main .card [data-do=hide]");
    browser.wait(&format!("!{there}"));
    browser.wait("document.querySelector('.toast').textContent.includes('Hidden')");
    // The others slide into the gap.
    browser.wait("!document.querySelector('.wall.settled, .card.leaving')");
    check_wall(browser, "after hiding");
    std::thread::sleep(Duration::from_millis(300));
    // Every page of the next ranking: through the API, with the pinner's own eyes.
    browser.open(&format!("{base}/as/{pinner}"));
    browser.wait(&format!("{CARDS} > 0"));
    let feed = "const ids = []; let cursor = '';
                do {
                  const request = new XMLHttpRequest();
                  request.open('GET', `/v1/feed/${document.body.dataset.pinner}?limit=200${cursor}`, false);
                  request.send();
                  const page = JSON.parse(request.responseText);
                  ids.push(...page.items.map((item) => item.id));
                  cursor = page.next_cursor ? '&cursor=' + page.next_cursor : '';
                } while (cursor);
                return ids;";
    let ids = browser.run(feed);
    assert!(!ids.as_array().unwrap().is_empty());
    assert!(!ids.as_array().unwrap().contains(&json!(hidden)), "the hidden pin is gone from the next feed");
}

fn search(browser: &Browser, nest: &Nest) {
    nest.post("/v1/pins", json!({"id": "quartz", "title": "Quartz umbrella stand"}).to_string());
    nest.settle();
    browser.write(".seek input", "quartz umbrella\u{E007}");
    browser.wait(&format!("location.pathname.endsWith('/search') && {CARDS} > 0"));
    let first = browser.run("return document.querySelector('main .card').dataset.pin");
    assert_eq!(first, "quartz", "its words find it");
    browser.write(".seek input", "\u{E009}a\u{E009}lamp\u{E007}");
    browser.wait(&format!("document.querySelector('h1').textContent === 'lamp' && {CARDS} > 0"));
    shoot(browser, "search");
}

fn boards(browser: &Browser, base: &str, pinner: &str) {
    browser.open(&format!("{base}/as/{pinner}/boards"));
    browser.wait("[...document.querySelectorAll('.tile b')].some((b) => b.textContent === 'A board of a test')");
    shoot(browser, "boards");
    browser.click(".tile");
    browser.wait(&format!("{CARDS} > 0"));
    shoot(browser, "board");
    browser.open(&format!("{base}/console"));
    shoot(browser, "console");
    browser.click("td a[href^='/console/requests/']");
    browser.wait("document.querySelector('h1')");
    shoot(browser, "trace");
}

/// Only for the eye: the dark scheme, and a mouse over a card.
fn in_the_dark(browser: &Browser, base: &str, pinner: &str) {
    if std::env::var("BOWERBIRD_TEST_SHOTS").is_err() {
        return;
    }
    browser.emulate(&[("prefers-color-scheme", "dark"), ("hover", "hover"), ("any-pointer", "fine")]);
    browser.open(&format!("{base}/as/{pinner}"));
    browser.wait(&format!("{CARDS} >= 20"));
    browser.run("document.querySelector('main .card:nth-of-type(3) [data-do=save]').focus()");
    shoot(browser, "dark-feed");
    browser.click("main .card .open");
    browser.wait("document.querySelectorAll('dialog[open] .wall .card.placed').length > 5");
    shoot(browser, "dark-closeup");
    browser.open(base);
    shoot(browser, "dark-choose");
}

/// Pins that are words only, as data sets without pictures have them.
#[test]
fn pins_without_pictures_are_a_wall_too() {
    let Some(browser) = browser(1400, 950, false) else { return };
    let nest = populated();
    // The world's pins name pictures that nobody painted here.
    let ids = (0..40).map(|number| format!("{{\"id\":\"{number:05}\",\"creator\":\"Studio {}\"}}", number % 7));
    let words = ["A long title that says everything there is to say about a film", "Toy Story", "Heat", "Sabrina"];
    let titled = (0..40).map(|number| format!("{{\"id\":\"t{number}\",\"title\":\"{}\"}}", words[number % 4]));
    let rows: Vec<String> = ids.chain(titled).collect();
    assert_eq!(nest.post("/v1/pins", format!("[{}]", rows.join(","))).json()["accepted"], 80);
    nest.settle();
    browser.open(&format!("http://{}/as/somebody", nest.address));
    browser.wait(&format!("{CARDS} >= 20"));
    browser.wait("document.querySelectorAll('main .card .words').length >= 10");
    std::thread::sleep(Duration::from_millis(300));
    check_wall(&browser, "words");
    shoot(&browser, "words-feed");
    browser.open(&format!("http://{}/as/somebody/pin/t0", nest.address));
    browser.wait("document.querySelector('.plate .words svg')");
    shoot(&browser, "words-closeup");
}

#[test]
fn it_fits_a_phone() {
    let Some(browser) = browser(390, 844, true) else { return };
    let nest = painted();
    let base = format!("http://{}", nest.address);
    browser.open(&base);
    shoot(&browser, "phone-choose");
    browser.click(".tile");
    browser.wait(&format!("{CARDS} >= 20"));
    check_wall(&browser, "the feed on a phone");
    let columns = "return new Set([...document.querySelectorAll('main .card')].map((c) => Math.round(c.getBoundingClientRect().left))).size";
    assert_eq!(browser.run(columns), 2, "two columns");
    shoot(&browser, "phone-feed");
    browser.click("main .card .open");
    browser.wait("document.querySelectorAll('dialog[open] .wall .card.placed').length > 5");
    shoot(&browser, "phone-closeup");
    browser.run("document.querySelector('dialog[open]').scrollTo(0, 760)");
    shoot(&browser, "phone-related");
    let wide = "return document.documentElement.scrollWidth <= innerWidth && document.querySelector('dialog').scrollWidth <= innerWidth";
    assert_eq!(browser.run(wide), true, "nothing is wider than the screen");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_is_typed_is_completed_corrected_and_leads_on() {
    let Some(browser) = browser(1400, 950, false) else { return };
    let nest = crate::suggest::harbour();
    let base = format!("http://{}", nest.address);
    let field = "document.querySelector('.bar .seek input')";
    let open = "!document.querySelector('#completions').hidden";
    browser.open(&format!("{base}/as/ann"));
    browser.wait(&format!("{CARDS} > 0"));
    browser.click(".bar .seek input");
    browser.wait(&format!("{open} && {field}.getAttribute('aria-expanded') === 'true'"));
    browser.write(".bar .seek input", "blue v");
    browser.wait("document.querySelector('#completions li')?.dataset.text === 'blue vase'");
    shoot(&browser, "completions");
    browser.write(".bar .seek input", "\u{E015}");
    browser.wait(&format!("{field}.value === 'blue vase'"));
    assert_eq!(browser.run(&format!("return {field}.getAttribute('aria-activedescendant')")), "completion-0");
    browser.write(".bar .seek input", "\u{E00C}");
    browser.wait(&format!("!({open}) && {field}.value === 'blue v'"));
    browser.write(".bar .seek input", "\u{E015}");
    browser.wait(open);
    browser.write(".bar .seek input", "\u{E015}\u{E007}");
    browser.wait("document.querySelector('h1').textContent === 'blue vase'");
    browser.write(".bar .seek input", "\u{E009}a\u{E009}cera");
    browser.wait("document.querySelector('#completions li')?.dataset.text === 'ceramic vases'");
    browser.click("#completions li");
    browser.wait(&format!("document.querySelector('h1').textContent === 'ceramic vases' && {CARDS} > 0"));
    browser.click(".guides .chip");
    browser.wait("document.querySelector('h1').textContent !== 'ceramic vases'");

    browser.open(&format!("{base}/as/ann/search?q=vase"));
    browser.wait(&format!("document.querySelectorAll('.guides .chip').length > 0 && {CARDS} > 0"));
    shoot(&browser, "guides");
    browser.emulate(&[("prefers-color-scheme", "dark")]);
    browser.open(&format!("{base}/as/ann/search?q=green+lighthuose"));
    browser.wait(&format!("document.querySelector('.notice b').textContent === 'green lighthouse' && {CARDS} > 0"));
    browser.write(".bar .seek input", "\u{E009}a\u{E009}blu");
    browser.wait(open);
    shoot(&browser, "dark-corrected");
    browser.write(".bar .seek input", "\u{E00C}");
    browser.click(".notice a");
    browser.wait("document.querySelector('h1').textContent === 'green lighthuose'");
    assert_eq!(browser.complaints(), [""; 0]);
}
