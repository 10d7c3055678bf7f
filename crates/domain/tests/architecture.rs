//! The house rules, held against the code: ARCHITECTURE.md's room table is law, pure rooms are pure, files and
//! functions stay small, doors stay closed. Lives in `domain` because that is the one room every other may use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 120;
const DOOR_USES_MAX: usize = 30;
const ARCHITECTURE_LINES_MAX: usize = 300;

/// What a pure room may not say outside its tests.
const IMPURE: [&str; 12] = [
    "tokio::",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
    "thread_rng",
    "getrandom",
    "println!",
    "eprintln!",
    "std::io::stdin",
];

/// A row of the room table.
#[derive(Debug)]
struct Room {
    layer: u32,
    name: String,
    ours: BTreeSet<String>,
    theirs: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace root")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words in backquotes of a table cell.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rooms() -> Vec<Room> {
    let text = read(&root().join("ARCHITECTURE.md"));
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("| `"));
    let mut rooms = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(layer) = cells[0].parse() else { continue };
        let name = quoted(cells[1]).into_iter().next().expect("a room's name in backquotes");
        rooms.push(Room { layer, name, ours: quoted(cells[3]), theirs: quoted(cells[4]) });
    }
    assert!(rooms.len() > 10, "ARCHITECTURE.md: the room table was not found");
    rooms
}

/// Room → its normal dependencies as package names, from `cargo metadata`.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (room_of(&package["name"]), normal_dependencies(package))).collect()
}

fn room_of(name: &serde_json::Value) -> String {
    let name = name.as_str().expect("a package's name");
    name.strip_prefix("bowerbird-").unwrap_or(name).to_owned()
}

fn normal_dependencies(package: &serde_json::Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies");
    let normal = all.iter().filter(|dependency| dependency["kind"].is_null());
    normal.map(|dependency| dependency["name"].as_str().expect("a dependency's name").to_owned()).collect()
}

#[test]
fn the_room_table_is_the_dependency_graph() {
    let (rooms, graph) = (rooms(), dependencies());
    let layers: BTreeMap<&str, u32> = rooms.iter().map(|room| (room.name.as_str(), room.layer)).collect();
    assert_eq!(
        graph.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        layers.keys().copied().collect::<BTreeSet<_>>(),
        "the crates and the rows of ARCHITECTURE.md's table differ"
    );
    for room in &rooms {
        let dependencies = &graph[&room.name];
        let used: BTreeSet<String> =
            dependencies.iter().filter_map(|name| name.strip_prefix("bowerbird-")).map(str::to_owned).collect();
        assert_eq!(used, room.ours, "`{}` uses other rooms than ARCHITECTURE.md says", room.name);
        for other in &used {
            assert!(layers[other.as_str()] < room.layer, "`{}` may not use `{other}`: arrows point down", room.name);
        }
    }
}

#[test]
fn a_heavy_crate_is_known_in_its_room_only() {
    let (rooms, graph) = (rooms(), dependencies());
    for owner in &rooms {
        for heavy in &owner.theirs {
            for (room, dependencies) in &graph {
                let uses = dependencies.contains(heavy);
                assert_eq!(uses, *room == owner.name, "`{heavy}` belongs to `{}`; see room `{room}`", owner.name);
            }
        }
    }
}

/// Every Rust file of a room's `src`, with the part before its test module.
fn sources(room: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("crates").join(room).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                if name != "tests" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = read(&path);
                let before = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                files.push((path, before));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn layers_0_and_1_are_pure() {
    for room in rooms().iter().filter(|room| room.layer <= 1) {
        let folder = root().join("crates").join(&room.name);
        let door = read(&folder.join("src/lib.rs"));
        let lint = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
        assert!(door.contains(lint), "`{}`: lib.rs lacks {lint}", room.name);
        let rules = read(&folder.join("clippy.toml"));
        assert_eq!(rules, read(&root().join("crates/domain/clippy.toml")), "`{}`: clippy.toml differs", room.name);
        for (path, text) in sources(&room.name) {
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let word = IMPURE.iter().find(|word| code.contains(*word));
                assert!(word.is_none(), "{}:{}: pure room says {}", path.display(), number + 1, word.unwrap_or(&""));
            }
        }
    }
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut wrong = Vec::new();
    for room in rooms() {
        for (path, text) in sources(&room.name) {
            let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let lines = text.lines().count();
            if lines > FILE_LINES_MAX {
                wrong.push(format!("{place}: {lines} lines, at most {FILE_LINES_MAX}"));
            }
            for (number, line) in text.lines().enumerate() {
                let chars = line.chars().count();
                if chars > LINE_CHARS_MAX {
                    wrong.push(format!("{place}:{}: {chars} characters, at most {LINE_CHARS_MAX}", number + 1));
                }
            }
            for (number, name, length) in functions(&text) {
                if length > FUNCTION_LINES_MAX {
                    wrong.push(format!("{place}:{number}: `{name}` has {length} lines, at most {FUNCTION_LINES_MAX}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every function as (line, name, length): from its `fn` to the brace that closes it, which rustfmt puts at the same
/// indentation.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(at) = code.find("fn ") else { continue };
        let qualifiers = ["", "pub", "async", "unsafe", "const", "extern", "\"C\""];
        let before = code[..at].split_whitespace();
        if !before.clone().all(|word| qualifiers.contains(&word) || word.starts_with("pub(")) {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let indent = &line[..line.len() - code.len()];
        let close = format!("{indent}}}");
        let one_line = line.trim_end().ends_with(['}', ';']);
        let end = if one_line { Some(0) } else { lines[start..].iter().position(|line| *line == close) };
        found.push((start + 1, name, end.unwrap_or(0) + 1));
    }
    found
}

#[test]
fn every_room_has_one_door() {
    for room in rooms().iter().filter(|room| room.name != "bowerbird") {
        let path = root().join("crates").join(&room.name).join("src/lib.rs");
        let door = read(&path);
        assert!(door.starts_with("//! "), "{}: the door opens with an essay", path.display());
        let open = door.lines().find(|line| line.starts_with("pub mod "));
        assert!(open.is_none(), "{}: {} stands open", path.display(), open.unwrap_or_default());
        let uses = door.lines().filter(|line| line.starts_with("pub use ")).count();
        assert!(uses <= DOOR_USES_MAX, "{}: {uses} `pub use` lines, at most {DOOR_USES_MAX}", path.display());
    }
}

#[test]
fn the_map_fits_on_the_wall() {
    let lines = read(&root().join("ARCHITECTURE.md")).lines().count();
    assert!(lines <= ARCHITECTURE_LINES_MAX, "ARCHITECTURE.md: {lines} lines, at most {ARCHITECTURE_LINES_MAX}");
}

#[test]
fn the_scanner_sees_long_functions() {
    let body = "    let x = 1;\n".repeat(80);
    let text = format!("impl X {{\n    pub async fn long(&self) {{\n{body}    }}\n    fn short() {{}}\n}}\n");
    let lengths: Vec<(String, usize)> = functions(&text).into_iter().map(|(_, name, length)| (name, length)).collect();
    assert_eq!(lengths, [("long".to_owned(), 82), ("short".to_owned(), 1)]);
}
