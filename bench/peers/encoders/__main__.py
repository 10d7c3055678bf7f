"""`bench/peers/published`: what the reference makes of encoders, and how fast it is."""

import argparse
import json
import os


def written(value, depth=0):
    """JSON with a line for each entry of the first two levels."""
    if depth < 2 and isinstance(value, (dict, list)) and value:
        inner = " " * (depth + 1)
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        named = (f"{json.dumps(name)}: " if isinstance(value, dict) else "" for name, _ in entries)
        values = value.values() if isinstance(value, dict) else value
        lines = ",\n".join(f"{inner}{name}{written(entry, depth + 1)}" for name, entry in zip(named, values))
        opened, closed = "{}" if isinstance(value, dict) else "[]"
        return f"{opened}\n{lines}\n{' ' * depth}{closed}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main():
    """Reads the arguments."""
    parser = argparse.ArgumentParser(prog="published", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    golden = verbs.add_parser("golden", help="write what the reference makes of small encoders, a file each")
    golden.add_argument("--out", required=True, metavar="DIR")
    golden.add_argument("--seed", type=int, default=1, help="of the weights")
    speed = verbs.add_parser("speed", help="texts and pictures a second of encoders of common sizes in PyTorch")
    speed.add_argument("--out", required=True, metavar="DIR", help="where the encoders are written")
    speed.add_argument("--threads", type=int, default=1)
    speed.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    args = parser.parse_args()
    if args.verb == "golden":
        from .cases import CASES, case

        os.makedirs(args.out, exist_ok=True)
        for name in CASES:
            with open(os.path.join(args.out, f"{name}.json"), "w", encoding="utf-8") as file:
                file.write(written(case(name, args.seed)) + "\n")
    else:
        from .speed import measured

        print(json.dumps(measured(args.threads, args.seconds, args.out)))


if __name__ == "__main__":
    main()
