"""`bench/peers/vectors`: builds every peer once, then runs all of them alternately, round after round."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from .conversation import Conversation, environment
from .exchange import Workload
from .plan import HERE, peers
from .results import Results
from .table import markdown


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/peers/vectors", description=__doc__)
    parser.add_argument("--export", required=True, help="folder written by `bowerbird bench vectors --export`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0, help="the core on which everything runs")
    parser.add_argument("--ours", help="path of the bowerbird binary, to run it in the same rounds")
    parser.add_argument("--peers", default="", help="names from peers.toml, with commas (default: all not optional)")
    parser.add_argument("--json", help="results (default: bench/results/vectors-WORKLOAD.json), the table beside it")
    parser.add_argument("--resume", action="store_true", help="go on with that file and keep built indexes")
    parser.add_argument("--unfiltered", action="store_true", help="leave the filters out")
    parser.add_argument("--table", action="store_true", help="only write the table anew from the results")
    parser.add_argument("--cpu-min-s", type=float, default=0.3, help="CPU seconds a setting is measured for at least")
    parser.add_argument("--cpu-max-s", type=float, default=1.5, help="and after which a slow one stops early")
    parser.add_argument("--note", default="", help="a line for the table, such as what else the machine was doing")
    parser.add_argument("--rust", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


class Run:
    """One run over one workload."""

    def __init__(self, options):
        self.options = options
        self.workload = Workload.open(options.export)
        wanted = [name for name in options.peers.split(",") if name]
        self.peers = peers(self.workload, wanted, [] if options.unfiltered else list(self.workload.filters))
        path = options.json or HERE.parent / "results" / f"vectors-{self.workload.name}.json"
        self.results = Results(path, self.workload, options.resume or options.table)
        self.cache = HERE / ".cache" / f"{self.workload.name}-{self.workload.fingerprint()}"
        self.conversations = []
        self.kept = {}
        self.started = time.monotonic()

    def build(self):
        """Every index that is not there yet. Those that cannot be saved stay in their process."""
        for number, peer in enumerate(self.peers, 1):
            known, note = self.known(peer), self.cache / f"{peer.name}.json"
            if note.exists() and not peer.kept and self.options.resume:
                known |= json.loads(note.read_text())
                continue
            if peer.kept and set(range(self.options.rounds)) <= set(known["rounds"]):
                continue
            self.say(f"build {number} of {len(self.peers)}: {peer.title}")
            conversation = self.start(peer)
            built = conversation.order(do="build", index=str(self.index(peer)))
            known |= built
            if peer.kept:
                self.kept[peer.name] = conversation
            else:
                conversation.close()
                note.write_text(json.dumps(built))
            self.say(f"  {built['build_cpu_s']:,.0f} CPU s")
            self.results.save()

    def rounds(self):
        """All peers in turn, and ours, as often as there are rounds."""
        done, total = 0, self.options.rounds * (len(self.peers) + bool(self.options.ours))
        spent = 0.0
        for number in range(self.options.rounds):
            turns = [*self.peers, None] if self.options.ours else self.peers
            turns = turns[number % len(turns) :] + turns[: number % len(turns)]
            for peer in turns:
                began, worked = time.monotonic(), self.turn(peer, number)
                done += 1
                if not worked:
                    total, done = total - 1, done - 1
                    continue
                spent += time.monotonic() - began
                left = (total - done) * spent / done / 60
                self.say(f"round {number + 1}: {peer.title if peer else 'bowerbird'} done, about {left:.0f} min left")
                self.results.save()
                self.write_table()

    def turn(self, peer, number):
        """One peer in one round; false where an earlier run did it."""
        if peer is None:
            return self.ours(number)
        known = self.known(peer)
        if number in known["rounds"]:
            return False
        conversation = self.kept.get(peer.name) or self.start(peer)
        settings, lines = self.results.worth_asking(known, peer.settings), []
        known |= conversation.order(do="load", index=str(self.index(peer)), settings=settings[0]["params"])
        limits = {"cpu_min_s": self.options.cpu_min_s, "cpu_max_s": self.options.cpu_max_s}
        line = conversation.order(do="measure", settings=settings, **limits)
        while "done" not in line:
            lines.append(line)
            if len(lines) % 20 == 0:
                self.say(f"  {peer.title}: {len(lines)} of {len(settings)} settings")
            line = conversation.answer()
        if peer.name not in self.kept:
            conversation.close()
        self.results.add_points(known, number, lines)
        return True

    def ours(self, number):
        """Our own runner over the same folder; what it prints is described in `bench/README.md`."""
        known = self.results.peer("bowerbird", "Bowerbird", "bowerbird")
        if number in known["rounds"]:
            return False
        verb = ["bench", "vectors", "--workload", self.workload.name, "--from", self.options.export, "--json"]
        command = ["taskset", "-c", str(self.options.core), self.options.ours, *verb]
        asked = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True)
        if asked.returncode != 0:
            self.say(f"skipped: {self.options.ours} {' '.join(verb)} ended with code {asked.returncode}")
            return False
        answer = json.loads(asked.stdout)
        points = answer.pop("points")
        known |= answer
        self.results.add_points(known, number, points)
        return True

    def known(self, peer):
        return self.results.peer(peer.name, peer.title, peer.library)

    def start(self, peer):
        conversation = Conversation(peer, self.options.export, self.options.core, self.options.rust)
        self.conversations.append(conversation)
        return conversation

    def index(self, peer):
        self.cache.mkdir(parents=True, exist_ok=True)
        return self.cache / peer.name

    def write_table(self):
        self.results.path.with_suffix(".md").write_text(markdown(self.results.data))

    def say(self, text):
        minutes = (time.monotonic() - self.started) / 60
        print(f"[{minutes:5.1f} min] {text}", file=sys.stderr, flush=True)


def main():
    """Returns the exit code."""
    run = Run(arguments())
    if run.options.table:
        run.write_table()
        return 0
    if not run.options.ours:
        run.say("skipped: ours (give --ours PATH to run bowerbird in the same rounds)")
    run.results.stamp(run.options.note)
    try:
        run.build()
        run.rounds()
    except KeyboardInterrupt:
        run.say(f"interrupted; --resume goes on with {run.results.path}")
        return 130
    finally:
        for conversation in run.conversations:
            conversation.kill()
    run.say(f"{run.results.path} and {run.results.path.with_suffix('.md').name} are written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
