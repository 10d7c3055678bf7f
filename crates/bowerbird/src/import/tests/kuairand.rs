//! Logs of shown videos.

use super::*;
use domain::{Pinner, Surface};

const HEADER: &str = "user_id,video_id,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,\
                      play_time_ms,is_profile_enter,tab";

fn beside(place: &Place) {
    place.write(
        "video_features_basic.csv",
        "video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,music_id,music_type,tag\n\
         5,71,NORMAL,2022-04-10,UNKNOWN,0.0,9000.0,17,9.0,\"39,2\"\n\
         6,71,AD,2022-04-10,Web,,,0,,unknown\n",
    );
    place.write(
        "user_features.csv",
        "user_id,user_active_degree,is_live_streamer,follow_user_num,follow_user_num_range,register_days,\
         register_days_range,onehot_feat0,onehot_feat12\n1,UNKNOWN,-124,514,500+,10,8-14,1,1.0\n2,full_active,1,0,0,,,0,\n",
    );
}

#[test]
fn videos_are_shown_and_acted_on() {
    let place = Place::new();
    beside(&place);
    place.write(
        "user_histories_x.jsonl",
        "{\"user_id\":1,\"last_time_ms\":1650000000000,\"watch\":[4,5],\"like\":[5],\"long\":[9]}\nnonsense\n",
    );
    let rows = "1,5,1650812741436,1,0,0,0,0,0,1,61802,0,1\n1,6,1650812741500,0,1,1,1,1,1,0,700,1,4\n\
                1,6,1650812741600,0,0,0,0,0,0,0,x,0,4\n";
    place.write("log_a.csv", format!("{HEADER}\n{rows}"));
    let (sink, stopped) = place.import("kuairand", place.folder.path(), &[]);
    assert_eq!((stopped, sink.summary.refused), (None, 2));
    let refused = place.refused();
    assert!(refused[0].starts_with("user_histories_x.jsonl:2: "), "{refused:?}");
    assert_eq!(refused[1], "log_a.csv:4: play_time_ms: 'x' is not such a number");
    use Action::{Click, Closeup, Comment, Follow, Hide, Impression, LongClick, Save, Share};
    let before = [(Impression, "4"), (Impression, "5"), (LongClick, "9"), (Save, "5")];
    let first = [(Impression, "5"), (Closeup, "5"), (LongClick, "5")];
    let second = [Impression, Click, Save, Share, Follow, Comment, Hide].map(|action| (action, "6"));
    let expected = before.iter().chain(&first).chain(&second);
    assert_eq!(place.did(), expected.map(|(action, pin)| did("1", *action, pin)).collect::<Vec<_>>());
    let events = place.events();
    assert_eq!((events[1].ts_ms, events[3].ts_ms), (1_650_000_000_000, 1_650_000_000_000), "liked when it was shown");
    assert!(events[2].ts_ms < events[0].ts_ms, "what is older than the list comes before it");
    assert_eq!(events[4..7].iter().map(|event| event.value).collect::<Vec<_>>(), [Some(61_802.0); 3]);
    assert_eq!((events[7].value, events[8].value), (Some(700.0), None), "how long it was played");
    assert_eq!((events[5].surface, events[8].surface), (Surface::Home, Surface::Search));
    let (again, _) = place.import("kuairand", place.folder.path(), &[]);
    assert_eq!((again.summary.accepted, place.events().len()), (0, 14));
}

#[test]
fn features_become_traits_unless_they_are_unknown() {
    let place = Place::new();
    beside(&place);
    let path = place.write("log_a.csv", format!("{HEADER}\n"));
    assert_eq!(place.import("kuairand", &path, &[]).1, None);
    let pins = place.pins();
    assert_eq!((pins[0].topics.join(" "), pins[0].creator.as_deref()), ("tag 39 tag 2".into(), Some("author 71")));
    let five = "video_type=normal visible_status=0 music_type=9 music_id=17 video_duration_log2=13";
    assert_eq!(pins[0].traits.join(" "), five);
    assert_eq!((pins[1].traits.join(" "), pins[1].topics.len()), ("video_type=ad upload_type=web".into(), 0));
    let facts = place.facts(TopicKind::Catalogue).into_iter();
    let pinners = facts.filter_map(|fact| if let Fact::Pinner(pinner) = fact { Some(pinner) } else { None });
    let traits: Vec<String> = pinners.map(|pinner: Pinner| pinner.traits.join(" ")).collect();
    let one = "follow_user_num_range=500+ register_days_range=8-14 onehot_feat0=1 onehot_feat12=1";
    let two = "user_active_degree=full_active is_live_streamer=1 follow_user_num_range=0 onehot_feat0=0";
    assert_eq!(traits, [one, two]);
}

#[test]
fn every_tab_has_a_surface_and_repeated_rows_stay_apart() {
    let place = Place::new();
    let row = |tab: &str| format!("1,5,1650812741436,0,0,0,0,0,0,0,0,0,{tab}\n");
    let rows: String = ["1", "0", "4", "6", "2", "14", "2"].map(row).concat();
    let path = place.write("log_a.csv", format!("{HEADER}\n{rows}"));
    place.import("kuairand", &path, &[]);
    use Surface::{Board, Home, Notification, Related, Search};
    let surfaces: Vec<Surface> = place.events().iter().map(|event| event.surface).collect();
    assert_eq!(surfaces, [Home, Related, Search, Board, Notification, Notification, Notification]);
}

#[test]
fn a_log_of_likes_and_hates_is_read_too() {
    let place = Place::new();
    let header = "user_id,video_id,time_ms,is_click,is_follow,is_comment,long_view,play_time_ms,label";
    let rows = ["1,5,1650812741436,1,0,1,0,46186,1", "1,6,1650812741500,0,0,0,0,14549,0"];
    let text = [header, rows[0], rows[1]].join("\n").replace(',', "\t");
    let path = place.write("like_vs_hate.tsv", text);
    assert_eq!(place.import("kuairand", &path, &[]).1, None);
    use Action::{Closeup, Comment, Hide, Impression, Save};
    let expected = [(Impression, "5"), (Closeup, "5"), (Save, "5"), (Comment, "5"), (Impression, "6"), (Hide, "6")];
    assert_eq!(place.did(), expected.map(|(action, pin)| did("1", action, pin)));
    let path = place.write("log_b.csv", "user_id,video_id,time_ms,is_click,long_view\n");
    assert!(place.fails("kuairand", &path, &[]).starts_with("log_b.csv: there is no column `is_like`"));
}
