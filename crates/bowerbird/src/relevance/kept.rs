//! Relevance models in the blobs: `relevance/<version>/` holds `student.bbs` or `teacher.bbr`; `relevance/live` names
//! the student that serves, `relevance/teacher` the teacher that labels.

use anyhow::{Context, Result, bail};
use models::{Student, Teacher};
use serving::Views;
use std::sync::Arc;
use std::time::Duration;
use store::Blobs;

use crate::stop::Stop;

const LIVE: &str = "relevance/live";
const TEACHER: &str = "relevance/teacher";

/// The relevance models of a data directory. One process at a time keeps new ones; any number may read beside it.
#[derive(Clone)]
pub(crate) struct Kept {
    blobs: Blobs,
}

impl Kept {
    pub(crate) fn new(blobs: Blobs) -> Kept {
        Kept { blobs }
    }

    /// The version of the student that serves, if one was learned.
    pub(crate) fn live(&self) -> Result<Option<String>> {
        self.named(LIVE)
    }

    fn named(&self, key: &str) -> Result<Option<String>> {
        let bytes = self.blobs.get(key).with_context(|| format!("cannot read {key}"))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    /// A student by its version.
    pub(crate) fn student(&self, version: &str) -> Result<Student> {
        let key = format!("relevance/{version}/student.bbs");
        let bytes = self.blobs.get(&key)?.with_context(|| format!("there is no {key}"))?;
        Student::from_bytes(&bytes).with_context(|| format!("relevance student {version}"))
    }

    /// The teacher that was learned last.
    pub(crate) fn teacher(&self) -> Result<Teacher> {
        let Some(version) = self.named(TEACHER)? else {
            bail!("no teacher was learned yet: `bowerbird relevance train --teacher --labels FILE` learns one");
        };
        let key = format!("relevance/{version}/teacher.bbr");
        let bytes = self.blobs.get(&key)?.with_context(|| format!("there is no {key}"))?;
        Teacher::from_bytes(&bytes).with_context(|| format!("relevance teacher {version}"))
    }

    /// Keeps a student and makes it the one that serves.
    pub(crate) fn keep_student(&self, student: &Student) -> Result<()> {
        self.keep(student.version(), "student.bbs", student.to_bytes(), LIVE)
    }

    /// Keeps a teacher and makes it the one that labels.
    pub(crate) fn keep_teacher(&self, teacher: &Teacher) -> Result<()> {
        self.keep(teacher.version(), "teacher.bbr", teacher.to_bytes(), TEACHER)
    }

    fn keep(&self, version: &str, name: &str, bytes: Vec<u8>, pointer: &str) -> Result<()> {
        let key = format!("relevance/{version}/{name}");
        self.blobs.put(&key, bytes).with_context(|| format!("cannot keep {key}"))?;
        self.blobs.put(pointer, version.as_bytes().to_vec()).with_context(|| format!("cannot write {pointer}"))
    }

    /// Makes the live student judge relevance, if there is one; gives its version.
    pub(crate) fn install(&self, views: &Views) -> Result<Option<String>> {
        let live = self.live()?;
        let student = live.as_deref().map(|version| self.student(version)).transpose()?;
        views.install_student(student.map(Arc::new));
        Ok(live)
    }

    /// Installs the student that is live whenever it is another one, until it should stop.
    pub(crate) fn watch(&self, views: &Views, every: Duration, stop: &Stop) {
        let mut installed = views.student().map(|student| student.version().to_owned());
        while stop.rest(every) {
            let live = match self.live() {
                Ok(live) => live,
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "cannot look which relevance student is live");
                    continue;
                }
            };
            if live == installed {
                continue;
            }
            match self.install(views) {
                Ok(version) => tracing::info!(?version, "another relevance student is live"),
                Err(error) => tracing::error!(error = %format!("{error:#}"), "a relevance student cannot be used"),
            }
            // One that cannot be used is not tried again until another one is named.
            installed = live;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::StudentConfig;

    #[test]
    fn the_student_that_was_kept_last_serves() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::new(store::open_blobs(&folder.path().display().to_string()).expect("blobs"));
        let views = Views::new().expect("views");
        assert_eq!(kept.install(&views).expect("nothing yet"), None);
        assert!(format!("{:#}", kept.teacher().expect_err("none")).contains("relevance train --teacher"));
        for version in ["a", "b"] {
            let config = StudentConfig { word_rows: 16, ..StudentConfig::default() };
            kept.keep_student(&Student::untrained(config, version.into(), 1).expect("a shape")).expect("kept");
        }
        assert_eq!(kept.install(&views).expect("installed").as_deref(), Some("b"));
        assert_eq!(views.student().expect("there").version(), "b");
        std::fs::write(folder.path().join("relevance/b/student.bbs"), "odd").expect("written");
        assert!(format!("{:#}", kept.install(&views).expect_err("odd")).contains("relevance student b"));
    }
}
