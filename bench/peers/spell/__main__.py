"""`bench/peers/spelling`: symspellpy on the phrases that `--example spelling -- --export DIR` wrote."""

import argparse
import csv
import os
import tempfile
import time

from symspellpy import SymSpell, Verbosity

EDITS_MAX = 2
CODES = r".*\d.*"


def rows(folder, name):
    """The lines of a table, as lists of cells."""
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def speller(folder):
    """symspellpy with the exported words and pairs."""
    made = SymSpell(max_dictionary_edit_distance=EDITS_MAX)
    for word, count in rows(folder, "words.tsv"):
        made.create_dictionary_entry(word, int(count))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as pairs:
        pairs.writelines(f"{left} {right} {count}\n" for left, right, count in rows(folder, "pairs.tsv"))
        pairs.flush()
        made.load_bigram_dictionary(pairs.name, term_index=0, count_index=2, encoding="utf-8")
    return made


def word_by_word(made, typed):
    """Each word by itself; what is known, holds a digit or is near nothing stays."""
    words = []
    for word in typed.split(" "):
        found = made.lookup(word, Verbosity.TOP, EDITS_MAX, include_unknown=True, ignore_token=CODES)
        words.append(found[0].term)
    return " ".join(words)


def as_a_whole(made, typed):
    """The whole phrase, words split and joined."""
    return made.lookup_compound(typed, EDITS_MAX, ignore_term_with_digits=True)[0].term


def measure(name, correct, made, phrases):
    """Prints how many phrases of each kind come out as they were meant, and the time that one takes."""
    started = time.process_time()
    right = {}
    for _, kind, typed, meant in phrases:
        right.setdefault(kind, []).append(correct(made, typed) == meant)
    each_us = (time.process_time() - started) * 1e6 / len(phrases)
    print(f"{name}: {each_us:.0f} µs each; right, in %:")
    for kind, results in right.items():
        print(f"{kind:<20}{len(results):>8}{100 * sum(results) / len(results):>12.2f}")


def main():
    """Both ways to ask, on one half of the phrases."""
    parser = argparse.ArgumentParser(prog="bench/peers/spelling", description=__doc__)
    parser.add_argument("--from", dest="folder", required=True, help="the exported folder")
    parser.add_argument("--development", action="store_true", help="the half that parameters were chosen on")
    options = parser.parse_args()
    half = "development" if options.development else "test"
    phrases = [row for row in rows(options.folder, "phrases.tsv") if row[0] == half]
    made = speller(options.folder)
    measure("lookup", word_by_word, made, phrases)
    measure("lookup_compound", as_a_whole, made, phrases)


main()
