//! Batches to Parquet files: sorted, spread over months, written aside, then moved into place.

use crate::LakeError;
use crate::columns::month_of;
use crate::tables::Spec;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::Date32Type;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Rows of a row group.
const GROUP_ROWS_MAX: usize = 1 << 16;

/// Threads that wait for the disk while files are synced.
const SYNC_THREADS: usize = 8;

/// Files that are written but not in place yet: (aside, in place).
#[derive(Default)]
pub(crate) struct Staged {
    files: Vec<(PathBuf, PathBuf)>,
}

/// The directory of half-written files.
pub(crate) fn staging(root: &Path) -> PathBuf {
    root.join(".staging")
}

impl Staged {
    /// Writes the rows of a table that come from the log records `from..until`.
    pub(crate) fn add(
        &mut self,
        root: &Path,
        spec: &Spec,
        rows: &RecordBatch,
        (from, until): (u64, u64),
    ) -> Result<(), LakeError> {
        for (month, indices) in spread(spec, rows)? {
            let sorted = take_record_batch(rows, &indices).map_err(LakeError::internal("sort rows"))?;
            let aside = staging(root).join(format!("{}-{}.parquet", spec.name, self.files.len()));
            write(&aside, &sorted)?;
            let directory = match month {
                Some(month) => root.join(spec.name).join(format!("month={month}")),
                None => root.join(spec.name),
            };
            self.files.push((aside, directory.join(name_of(from, until))));
        }
        Ok(())
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Syncs all files and moves them into place. Returns the directories that they are in.
    pub(crate) fn place(self, root: &Path) -> Result<BTreeSet<PathBuf>, LakeError> {
        sync(&self.files.iter().map(|(aside, _)| aside.as_path()).collect::<Vec<_>>())?;
        let mut directories = BTreeSet::from([root]);
        for (aside, place) in &self.files {
            let directory = place.parent().unwrap_or(root);
            std::fs::create_dir_all(directory).map_err(LakeError::io(directory))?;
            std::fs::rename(aside, place).map_err(LakeError::io(place))?;
            directories.extend(directory.ancestors().take_while(|&above| above != root));
        }
        sync(&directories.into_iter().collect::<Vec<_>>())?;
        Ok(self.files.iter().filter_map(|(_, place)| place.parent().map(Path::to_owned)).collect())
    }
}

/// The order of a table's rows, as places in `rows`.
pub(crate) fn sorted(spec: &Spec, rows: &RecordBatch) -> Result<UInt32Array, LakeError> {
    let sorting = |name: &&str| rows.column_by_name(name).map(|values| (values.clone(), None));
    let columns = spec.order.iter().filter_map(sorting);
    let columns: Vec<SortColumn> = columns.map(|(values, options)| SortColumn { values, options }).collect();
    lexsort_to_indices(&columns, None).map_err(LakeError::internal("sort rows"))
}

/// The rows of each month (or of none) in the table's order, as places in `rows`.
fn spread(spec: &Spec, rows: &RecordBatch) -> Result<BTreeMap<Option<String>, UInt32Array>, LakeError> {
    let sorted = sorted(spec, rows)?;
    let days = rows.column_by_name("dt").and_then(|days| days.as_primitive_opt::<Date32Type>());
    let Some(days) = days.filter(|_| spec.monthly) else { return Ok(BTreeMap::from([(None, sorted)])) };
    let mut months: BTreeMap<Option<String>, Vec<u32>> = BTreeMap::new();
    let mut known: BTreeMap<i32, String> = BTreeMap::new();
    for &row in sorted.values() {
        let day = if days.is_valid(row as usize) { days.value(row as usize) } else { 0 };
        let month = known.entry(day).or_insert_with(|| month_of(day));
        match months.get_mut(&Some(month.clone())) {
            Some(rows) => rows.push(row),
            None => drop(months.insert(Some(month.clone()), vec![row])),
        }
    }
    Ok(months.into_iter().map(|(month, rows)| (month, UInt32Array::from(rows))).collect())
}

/// Writes a file of the lake.
pub(crate) fn write(path: &Path, rows: &RecordBatch) -> Result<(), LakeError> {
    let wrong = |error: datafusion::parquet::errors::ParquetError| LakeError::Parquet {
        path: path.to_owned(),
        row_group: None,
        reason: error.to_string(),
    };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        .set_created_by("bowerbird".to_owned())
        .build();
    let file = File::create(path).map_err(LakeError::io(path))?;
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).map_err(wrong)?;
    writer.write(rows).map_err(wrong)?;
    writer.close().map_err(wrong)?;
    Ok(())
}

/// Syncs files and directories, several at a time: most of it is waiting.
pub(crate) fn sync(paths: &[&Path]) -> Result<(), LakeError> {
    let one = |path: &&Path| File::open(path).and_then(|file| file.sync_all()).map_err(LakeError::io(path));
    let share = paths.len().div_ceil(SYNC_THREADS).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            paths.chunks(share).map(|some| scope.spawn(move || some.iter().try_for_each(one))).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| {
                Err(LakeError::Internal { what: "sync files", reason: "a thread panicked".to_owned() })
            })
        })
    })
}

/// Removes what an interrupted roll left in a table: files of records at or behind the committed offset, and files
/// whose rows have been merged into another one.
pub(crate) fn clean(root: &Path, spec: &Spec, committed: u64) -> Result<(), LakeError> {
    let directory = root.join(spec.name);
    std::fs::create_dir_all(&directory).map_err(LakeError::io(&directory))?;
    let mut directories = vec![directory];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).map_err(LakeError::io(&directory))? {
            let path = entry.map_err(LakeError::io(&directory))?.path();
            if path.is_dir() {
                directories.push(path);
            }
        }
        let files = files_of(&directory)?;
        for file in &files {
            let merged = files.iter().any(|other| {
                other.path != file.path
                    && other.from <= file.from
                    && other.until >= file.until
                    && other.from < committed
            });
            if merged || file.from >= committed {
                std::fs::remove_file(&file.path).map_err(LakeError::io(&file.path))?;
            }
        }
    }
    Ok(())
}

/// A file of the lake: the log records `from..until` that it covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Covered {
    pub(crate) from: u64,
    pub(crate) until: u64,
    pub(crate) path: PathBuf,
}

/// The files in a directory of a table, in the order of their records.
pub(crate) fn files_of(directory: &Path) -> Result<Vec<Covered>, LakeError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(LakeError::io(directory))? {
        let path = entry.map_err(LakeError::io(directory))?.path();
        files.extend(covered(&path).map(|(from, until)| Covered { from, until, path }));
    }
    files.sort();
    Ok(files)
}

/// The name of the file of the log records `from..until`.
pub(crate) fn name_of(from: u64, until: u64) -> String {
    format!("{from:020}-{until:020}.parquet")
}

fn covered(path: &Path) -> Option<(u64, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
    let (from, until) = name.split_once('-')?;
    Some((from.parse().ok()?, until.parse().ok()?))
}
