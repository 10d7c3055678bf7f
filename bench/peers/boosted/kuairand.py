"""KuaiRand as rows for a click model: what was known before each impression, and what came of it.

Features of an impression are made of the histories (which end before the log), of the tables of users and videos and
of impressions of the log strictly before its own moment.
"""

import csv
import gzip
import json
import math
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path

import numpy as np

from .counters import Counters
from .factors import factors

# Columns of the log by the word for the action.
HEADS = {
    "closeup": "is_click",
    "long_click": "long_view",
    "save": "is_like",
    "share": "is_forward",
    "follow": "is_follow",
    "comment": "is_comment",
    "hide": "is_hate",
    "click": "is_profile_enter",
}
# What stands for each tab of the app; the others share one surface.
SURFACES = {1: "home", 0: "related", 4: "search", 6: "board"}
COUNTED = ["impression", *HEADS, "played"]
# Positives out of how many impressions are believed before any were seen, and how strongly (impressions).
PRIOR = 20.0
HISTORY_STEP_S = 60.0
SESSION_S = 1_800.0
BEIJING_H = 8
MISSING = math.nan
CATEGORIES = ("tab", "v_author", "v_tag", "v_music", "v_upload_type", "v_video_type", "u_active_degree")


def rows_of(path):
    """The rows of a CSV file, gzip or not."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="utf-8") as file:
        yield from csv.DictReader(file)


def number(text):
    """A cell as a number; missing ones are NaN."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return MISSING
    return MISSING if value == -124 else value


def found(folder, pattern):
    """The one file of a pattern."""
    return next(iter(sorted(Path(folder).glob(pattern))))


class Numbers:
    """Words as dense numbers."""

    def __init__(self):
        self.known = {}

    def of(self, word):
        return self.known.setdefault(word, len(self.known))


def day_s(text):
    """Seconds since 1970 of a day."""
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).total_seconds()
    except (TypeError, ValueError):
        return MISSING


class Videos:
    """What is known of videos."""

    def __init__(self, folder):
        self.rows = {row["video_id"]: row for row in rows_of(found(folder, "video_features_basic.csv*"))}
        self.numbers = {name: Numbers() for name in ("author", "tag", "music", "upload_type", "video_type")}

    def keys(self, video):
        """What a video shares with others: author, first tag, music, kind of upload, kind, bucket of its length."""
        row = self.rows.get(video, {})
        first = row.get("tag", "").split(",")[0]
        length = number(row.get("video_duration"))
        return {
            "author": row.get("author_id"),
            "tag": first,
            "music": row.get("music_id"),
            "upload_type": row.get("upload_type"),
            "video_type": row.get("video_type"),
            "length": int(math.log2(max(length, 1.0)) * 2) if length == length else None,
        }

    def features(self, video, keys, at_s):
        """Columns of the video itself."""
        row = self.rows.get(video, {})
        width, height = number(row.get("server_width")), number(row.get("server_height"))
        made = {f"v_{name}": numbers.of(keys[name]) for name, numbers in self.numbers.items()}
        made["v_length_s"] = number(row.get("video_duration")) / 1_000
        made["v_age_days"] = (at_s - day_s(row.get("upload_dt"))) / 86_400
        made["v_visible"] = number(row.get("visible_status"))
        made["v_width"], made["v_height"] = width, height
        made["v_aspect"] = width / height if height else MISSING
        made["v_music_type"] = number(row.get("music_type"))
        made["v_tags"] = len(row.get("tag", "").split(","))
        return made


class Users:
    """What is known of users."""

    def __init__(self, folder):
        self.rows = {row["user_id"]: row for row in rows_of(found(folder, "user_features.csv*"))}
        self.degrees = Numbers()

    def features(self, user):
        """Columns of the user."""
        row = self.rows.get(user, {})
        made = {"u_active_degree": self.degrees.of(row.get("user_active_degree"))}
        plain = ["is_lowactive_period", "is_live_streamer", "is_video_author", "follow_user_num", "fans_user_num"]
        plain += ["friend_user_num", "register_days", *(f"onehot_feat{i}" for i in range(18))]
        made.update({f"u_{name}": number(row.get(name)) for name in plain})
        return made


class Past:
    """Everything that counters know at a moment of the stream."""

    def __init__(self):
        width = len(COUNTED)
        self.by = {
            "u": Counters(width),
            "v": Counters(width),
            "author": Counters(width),
            "tag": Counters(width),
            "music": Counters(width),
            "upload_type": Counters(width),
            "video_type": Counters(width),
            "length": Counters(width),
            "tab": Counters(width),
            "hour": Counters(width),
            "v_tab": Counters(width),
            "u_tab": Counters(width),
            "u_author": Counters(width),
            "u_tag": Counters(width),
            "u_music": Counters(width),
            "u_upload_type": Counters(width),
            "u_length": Counters(width),
            "u_v": Counters(width),
        }
        self.all = Counters(width)
        self.last = {}
        self.seen_s = {}
        self.liked_length = {}

    def keys(self, user, video, tab, hour, keys):
        """Which counters an impression reads and adds to."""
        made = {"u": user, "v": video, "tab": tab, "hour": hour, **keys, "u_v": (user, video)}
        made.update({"v_tab": (video, tab), "u_tab": (user, tab)})
        for name in ("author", "tag", "music", "upload_type", "length"):
            made[f"u_{name}"] = (user, keys[name])
        return made

    def add(self, keys, values):
        """Counts one impression with its outcomes."""
        for name, key in keys.items():
            if name in self.by:
                self.by[name].add(key, values)
        self.all.add("", values)


def history(folder, past, videos):
    """Tells `past` what the histories know: watched, watched long, liked. The moments of all but the last are guessed."""
    with gzip.open(found(folder, "user_histories*.jsonl.gz"), "rt") as file:
        users = [json.loads(line) for line in file]
    events = []
    for row in users:
        long, liked = set(row["long"]), set(row["like"])
        start_s = row["last_time_ms"] / 1_000 - HISTORY_STEP_S * len(row["watch"])
        shown = set(row["watch"])
        watched = [(start_s + HISTORY_STEP_S * (place + 1), video) for place, video in enumerate(row["watch"])]
        earlier = [(start_s, video) for video in sorted((long | liked) - shown)]
        for at_s, video in earlier + watched:
            events.append((at_s, str(row["user_id"]), str(video), video in long, video in liked))
    events.sort(key=lambda event: event[0])
    for at_s, user, video, long, liked in events:
        values = [0.0] * len(COUNTED)
        values[0], values[COUNTED.index("long_click")], values[COUNTED.index("save")] = 1.0, float(long), float(liked)
        hour = (int(at_s // 3_600) + BEIJING_H) % 24
        keys = past.keys(user, video, "history", hour, videos.keys(video))
        past.add(keys, values)
        past.last.setdefault(user, []).append((at_s, values))
        past.seen_s[user, video] = at_s
        note_length(past, user, videos.rows.get(video, {}).get("video_duration"), long)
    return users


def note_length(past, user, length, long):
    """Means of the logarithm of the lengths that a user watched, and watched long."""
    length = number(length)
    if length == length and length > 0:
        sums = past.liked_length.setdefault(user, [0.0, 0, 0.0, 0])
        sums[0], sums[1] = sums[0] + math.log(length), sums[1] + 1
        if long:
            sums[2], sums[3] = sums[2] + math.log(length), sums[3] + 1


def rates(prefix, row, prior, made):
    """Counts and smoothed rates of one row of counters; `prior` are the rates believed."""
    impressions = row[0]
    made[f"{prefix}_n"] = math.log1p(impressions)
    for place, head in enumerate(COUNTED[1:], 1):
        made[f"{prefix}_{head}"] = (row[place] + PRIOR * prior[place]) / (impressions + PRIOR)


def recent(past, user, at_s, made):
    """What happened to the user's last impressions, and when."""
    last = past.last.get(user, [])
    for back in range(1, 4):
        at, values = last[-back] if len(last) >= back else (MISSING, [MISSING] * len(COUNTED))
        made[f"last{back}_gap"] = math.log1p(at_s - at) if at == at else MISSING
        for head in ("closeup", "long_click", "save"):
            made[f"last{back}_{head}"] = values[COUNTED.index(head)]
    session = 0
    for at, _ in reversed(last):
        if at_s - at > SESSION_S:
            break
        session += 1
    made["session"] = session
    liked = next((at for at, values in reversed(last) if sum(values[1:-1]) > 0), MISSING)
    made["last_positive_gap"] = math.log1p(at_s - liked) if liked == liked else MISSING


def features(past, row, keys, videos, users, latent, at_s):
    """All columns of one impression."""
    user, video = row["user_id"], row["video_id"]
    made = {"tab": int(row["tab"])}
    beijing = datetime.fromtimestamp(at_s, timezone.utc) + timedelta(hours=BEIJING_H)
    made["hour"], made["weekday"] = beijing.hour + beijing.minute / 60, beijing.weekday()
    made.update(videos.features(video, keys, at_s))
    made.update(users.features(user))
    everywhere = past.all.read("")
    prior = [value / max(everywhere[0], 1.0) for value in everywhere]
    for name, counters in past.by.items():
        rates(name, counters.read(keys[name]), prior, made)
    recent(past, user, at_s, made)
    seen = past.seen_s.get((user, video))
    made["seen_gap"] = math.log1p(at_s - seen) if seen is not None else MISSING
    sums = past.liked_length.get(user, [0.0, 0, 0.0, 0])
    length = made["v_length_s"] * 1_000
    own = math.log(length) if length == length and length > 0 else MISSING
    made["length_to_watched"] = own - sums[0] / sums[1] if sums[1] else MISSING
    made["length_to_long"] = own - sums[2] / sums[3] if sums[3] else MISSING
    made.update(latent(user, video))
    return made


def impressions(path):
    """The rows of a log in order of time, each once: 3 % of KuaiRand-Pure's are there twice."""
    once = {(row["user_id"], row["video_id"], row["time_ms"], row["tab"]): row for row in rows_of(path)}
    return sorted(once.values(), key=lambda row: int(row["time_ms"]))


def table(folder):
    """(names of columns, features, labels by head, day, tab, user) of every impression of the log, in order of time."""
    videos, users, past = Videos(folder), Users(folder), Past()
    latent = factors(history(folder, past, videos))
    log = impressions(found(folder, "log_*.csv*"))
    names, made, labels, where = None, [], defaultdict(list), defaultdict(list)
    for time_ms, together in groupby(log, key=lambda row: int(row["time_ms"])):
        at_s, later = time_ms / 1_000, []
        for row in together:
            hour = (int(at_s // 3_600) + BEIJING_H) % 24
            keys = past.keys(row["user_id"], row["video_id"], row["tab"], hour, videos.keys(row["video_id"]))
            columns = features(past, row, keys, videos, users, latent, at_s)
            names = names or list(columns)
            made.append(np.fromiter(columns.values(), np.float32, len(names)))
            for head, column in HEADS.items():
                labels[head].append(row[column] == "1")
            day = (int(at_s) + BEIJING_H * 3_600) // 86_400
            for name, value in (("day", day), ("tab", row["tab"]), ("user", row["user_id"])):
                where[name].append(int(value))
            later.append((row, keys))
        for row, keys in later:
            tell(past, row, keys, at_s)
    labels = {head: np.array(values) for head, values in labels.items()}
    return names, np.stack(made), labels, {name: np.array(values) for name, values in where.items()}


def tell(past, row, keys, at_s):
    """Counts an impression of the log with what came of it."""
    length = number(row["duration_ms"])
    played = min(number(row["play_time_ms"]) / length, 3.0) if length and length > 0 else 0.0
    values = [1.0, *(float(row[column]) for column in HEADS.values()), played]
    past.add(keys, values)
    past.last.setdefault(row["user_id"], []).append((at_s, values))
    past.seen_s[row["user_id"], row["video_id"]] = at_s
    note_length(past, row["user_id"], row["duration_ms"], row["long_view"] == "1")
