use super::*;

const NOON: u64 = 1_779_998_400_000 - 1_779_998_400_000 % 86_400_000 + 12 * HOUR_MS;
const ALL: [ChannelKind; 3] = ChannelKind::ALL;

fn day(quiet: QuietHours) -> Window {
    Window { zone: Zone::UTC, quiet, from_ms: NOON, until_ms: NOON + 24 * HOUR_MS }
}

fn greedy() -> ChooseParams {
    ChooseParams { thompson: false, ..ChooseParams::default() }
}

/// `opened` of `sent` at an hour.
fn counted(opens: &mut Opens, channel: ChannelKind, hour: usize, opened: u32, sent: u32) {
    (0..sent).for_each(|_| opens.sent(channel, hour));
    (0..opened).for_each(|_| opens.opened(channel, hour));
}

#[test]
fn little_of_a_pinner_counts_little_and_much_counts_most() {
    let (mut all, mut own) = (Opens::default(), Opens::default());
    counted(&mut all, ChannelKind::Webhook, 10, 100, 1_000);
    counted(&mut all, ChannelKind::Email, 10, 40, 1_000);
    let mut rng = Rng::new(1);
    let mut pick = |own: &Opens| choose(&greedy(), &all, own, &ALL, &day(QuietHours::NONE), &mut rng).expect("open");
    assert_eq!(pick(&own).channel, ChannelKind::Webhook);
    // One opened mail is no reason to change; 20 of 30 are.
    counted(&mut own, ChannelKind::Email, 10, 1, 1);
    assert_eq!(pick(&own).channel, ChannelKind::Webhook);
    counted(&mut own, ChannelKind::Email, 10, 19, 29);
    let pick = pick(&own);
    assert_eq!(pick.channel, ChannelKind::Email);
    assert!(pick.open_rate < 1.0);
}

#[test]
fn the_hour_is_that_of_everybody_until_the_pinner_has_one() {
    let (mut all, mut own) = (Opens::default(), Opens::default());
    for hour in 0..24 {
        counted(&mut all, ChannelKind::Webhook, hour, if hour == 19 { 300 } else { 100 }, 2_000);
    }
    let zone = Zone::parse("America/New_York").expect("a zone");
    let window = Window { zone, ..day(QuietHours::default()) };
    let mut rng = Rng::new(2);
    let mut hour = |own: &Opens| {
        let choice = choose(&greedy(), &all, own, &ALL, &window, &mut rng).expect("open");
        zone.hour_of_day(choice.at_ms)
    };
    assert_eq!(hour(&own), 19);
    counted(&mut own, ChannelKind::Webhook, 19, 1, 20);
    counted(&mut own, ChannelKind::Webhook, 12, 15, 20);
    assert_eq!(hour(&own), 12);
    // What is best lies in quiet hours: the best of the others.
    counted(&mut own, ChannelKind::Webhook, 23, 19, 20);
    assert_eq!(hour(&own), 12);
}

#[test]
fn it_never_chooses_a_quiet_moment_or_one_outside_of_the_window() {
    let mut rng = Rng::new(3);
    let params = ChooseParams::default();
    let zones = ["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"];
    let mut none = 0;
    for round in 0..2_000 {
        let zone = Zone::parse(zones[round % 4]).expect("a zone");
        let quiet = QuietHours { from_minute: rng.below(1_440), until_minute: rng.below(1_440) };
        // Around the nights in which clocks are moved.
        let from_ms = [1_774_742_400_000, 1_792_886_400_000][round % 2] + u64::from(rng.below(48 * HOUR_MS as u32))
            - 24 * HOUR_MS;
        let until_ms = from_ms + u64::from(rng.below(30 * HOUR_MS as u32));
        let window = Window { zone, quiet, from_ms, until_ms };
        let Some(choice) = choose(&params, &Opens::default(), &Opens::default(), &ALL, &window, &mut rng) else {
            none += 1;
            continue;
        };
        assert!((from_ms..until_ms).contains(&choice.at_ms), "{window:?} {choice:?}");
        assert!(!quiet.is_quiet(zone, choice.at_ms), "{window:?} {choice:?}");
    }
    assert!(none < 1_000, "most windows have an open moment: {none}");
    let window = day(QuietHours::NONE);
    assert_eq!(choose(&params, &Opens::default(), &Opens::default(), &[], &window, &mut rng), None);
    let over = Window { until_ms: window.from_ms, ..window };
    assert_eq!(choose(&params, &Opens::default(), &Opens::default(), &ALL, &over, &mut rng), None);
}

#[test]
fn drawing_finds_a_channel_that_taking_the_mean_never_tries() {
    // Everybody opens webhooks; this pinner opens mails only.
    let mut all = Opens::default();
    counted(&mut all, ChannelKind::Webhook, 12, 400, 4_000);
    counted(&mut all, ChannelKind::Email, 12, 300, 4_000);
    let window = Window { until_ms: NOON + HOUR_MS, ..day(QuietHours::NONE) };
    let channels = [ChannelKind::Webhook, ChannelKind::Email];
    let opened = |params: &ChooseParams| {
        let (mut rng, mut opened) = (Rng::new(5), 0);
        for _ in 0..50 {
            let mut own = Opens::default();
            for _ in 0..60 {
                let choice = choose(params, &all, &own, &channels, &window, &mut rng).expect("open");
                own.sent(choice.channel, 12);
                let opens = match choice.channel {
                    ChannelKind::Email => rng.uniform() < 0.5,
                    _ => rng.uniform() < 0.08,
                };
                if opens {
                    own.opened(choice.channel, 12);
                    opened += 1;
                }
            }
        }
        opened
    };
    let (drawn, mean) = (opened(&ChooseParams::default()), opened(&greedy()));
    assert!(drawn > mean, "{drawn} drawn, {mean} at the mean");
    let mut both = all;
    both.add(&all);
    assert_eq!(both.count(|_, _| true).opened, 1_400.0);
}

#[test]
fn what_is_wrong_is_named() {
    assert!(ChooseParams::default().validate().is_ok());
    let error = ChooseParams { open_rate: 0.0, ..greedy() }.validate().expect_err("refused").to_string();
    assert!(error.starts_with("choose.open_rate: 0 is not within"), "{error}");
}
