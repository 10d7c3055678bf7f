//! The configuration's file while a server runs.

use super::{Config, file};
use domain::Params;
use std::path::PathBuf;

/// Looks at the file now and then, and tells of other parameters.
pub(crate) struct Watched {
    data: PathBuf,
    given: Option<PathBuf>,
    /// What stood in the file when it was last looked at.
    text: Option<String>,
    /// What is in force of the parameters, and what the file said last of everything else.
    config: Config,
    unusable: bool,
}

/// What a look found.
#[derive(Debug, PartialEq)]
pub(crate) enum Looked {
    /// Nothing that matters to a running server.
    Nothing,
    /// Other parameters, and the keys that changed.
    Changed(Box<Params>, Vec<String>),
    /// A file that cannot be used, and why.
    Unusable(String),
}

impl Watched {
    /// From here on, where `params` are in force.
    pub(crate) fn new(data: PathBuf, given: Option<PathBuf>, params: Params) -> Watched {
        let config = Config { params, ..Config::load(&data, given.as_deref()).unwrap_or_default() };
        Watched { data, given, text: None, config, unusable: false }
    }

    /// What is new since the last look. A file that is gone changes nothing: somebody may be replacing it.
    pub(crate) fn look(&mut self) -> Looked {
        // The whole text, not its time: what is written twice within a tick of the clock is seen too.
        let Some(text) = self.read() else { return Looked::Nothing };
        if self.text.as_ref() == Some(&text) {
            return Looked::Nothing;
        }
        self.text = Some(text);
        let config = match Config::load(&self.data, self.given.as_deref()) {
            Ok(config) => config,
            Err(error) => {
                self.unusable = true;
                return Looked::Unusable(format!("{error:#}"));
            }
        };
        let before = std::mem::replace(&mut self.config, config);
        let params = self.config.params.clone();
        if self.config != (Config { params: params.clone(), ..before.clone() }) {
            tracing::warn!("only [params] is taken over by a running server: the rest counts from its next start");
        }
        let keys = changes(&before.params, &params);
        let mended = std::mem::take(&mut self.unusable);
        if keys.is_empty() && !mended { Looked::Nothing } else { Looked::Changed(Box::new(params), keys) }
    }

    fn read(&self) -> Option<String> {
        let path = file(&self.data, self.given.as_deref()).ok()??;
        std::fs::read_to_string(path).ok()
    }
}

/// The keys in which parameters differ.
fn changes(before: &Params, after: &Params) -> Vec<String> {
    let table = |params| toml::Table::try_from(params).unwrap_or_default();
    let mut keys = Vec::new();
    differing(&table(before), &table(after), "params", &mut keys);
    keys
}

fn differing(before: &toml::Table, after: &toml::Table, path: &str, keys: &mut Vec<String>) {
    for (key, value) in after {
        let path = format!("{path}.{key}");
        match (before.get(key), value) {
            (Some(toml::Value::Table(before)), toml::Value::Table(after)) => differing(before, after, &path, keys),
            (before, value) if before != Some(value) => keys.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_tells_its_parameters_and_a_wrong_one_says_what_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(super::super::FILE_NAME);
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        let mut watched = Watched::new(folder.path().to_owned(), None, Params::default());
        assert_eq!(watched.look(), Looked::Nothing, "no file");
        write("[params.home]\nexplore_every = 3\n[params.diversity.topic]\ncost = 2.0\n");
        let Looked::Changed(params, keys) = watched.look() else { panic!("a new file") };
        assert_eq!((params.home.explore_every, params.diversity.topic.cost), (3, 2.0));
        assert_eq!(keys, ["params.diversity.topic.cost", "params.home.explore_every"]);
        assert_eq!(watched.look(), Looked::Nothing);
        write("[params.home]\nexplore_every = -3\n");
        assert!(matches!(watched.look(), Looked::Unusable(why) if why.contains("line 2")));
        write("[params]\nslate_max = 7\n[params.home]\nfresh_every = 3000000\n");
        let Looked::Unusable(why) = watched.look() else { panic!("out of bounds") };
        assert!(why.contains("line 4: params.home.fresh_every: 3000000"), "{why}");
        assert_eq!(watched.look(), Looked::Nothing, "told once");
        write("[server]\nthreads = 3\n");
        let Looked::Changed(params, keys) = watched.look() else { panic!("the defaults") };
        assert_eq!((&*params, keys.len()), (&Params::default(), 2), "against what was in force");
        write("[server]\nthreads = 3\n[params]\nslate_max = 0\n");
        assert!(matches!(watched.look(), Looked::Unusable(_)));
        write("[server]\nthreads = 3\n");
        assert_eq!(watched.look(), Looked::Changed(params, Vec::new()), "it is mended");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(watched.look(), Looked::Nothing);
    }
}
