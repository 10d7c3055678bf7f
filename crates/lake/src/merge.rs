//! Small files to larger ones, so that rolling every minute does not leave a file a minute.

use crate::LakeError;
use crate::file::{self, Covered};
use crate::offsets;
use crate::tables::{SPECS, Spec};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::Path;

/// Small files that may lie in a directory before they are merged.
const SMALL_FILES_MAX: usize = 8;

/// Bytes from which a file is not small.
const SMALL_BYTES: u64 = 4 << 20;

/// Rows and decoded bytes that are merged at a time.
const ROWS_MAX: u64 = 1 << 18;
const BYTES_MAX: u64 = 96 << 20;

/// A small file that is to be merged with its neighbours.
struct Small {
    file: Covered,
    rows: u64,
    bytes: u64,
}

/// Merges the small files of a directory if there are too many. Does nothing while somebody reads: the next roll
/// comes by.
pub(crate) fn merge(root: &Path, directory: &Path) -> Result<(), LakeError> {
    let mut above = directory.ancestors().filter_map(Path::file_name);
    let Some(spec) = above.find_map(|name| SPECS.iter().find(|spec| name == spec.name)) else { return Ok(()) };
    let groups = groups(directory)?;
    groups.iter().filter(|group| group.len() > SMALL_FILES_MAX).try_for_each(|group| replace(root, spec, group))
}

/// Runs of small files that follow each other and fit into memory.
fn groups(directory: &Path) -> Result<Vec<Vec<Small>>, LakeError> {
    let mut groups: Vec<Vec<Small>> = vec![Vec::new()];
    let (mut rows, mut bytes) = (0, 0);
    for file in file::files_of(directory)? {
        let small = look(file)?;
        let fits =
            small.as_ref().is_some_and(|small| rows + small.rows <= ROWS_MAX && bytes + small.bytes <= BYTES_MAX);
        if !fits {
            groups.push(Vec::new());
            (rows, bytes) = (0, 0);
        }
        if let (Some(small), Some(group)) = (small, groups.last_mut()) {
            rows += small.rows;
            bytes += small.bytes;
            group.push(small);
        }
    }
    Ok(groups)
}

/// How large a file is, if it is small.
fn look(file: Covered) -> Result<Option<Small>, LakeError> {
    let length = std::fs::metadata(&file.path).map_err(LakeError::io(&file.path))?.len();
    if length >= SMALL_BYTES {
        return Ok(None);
    }
    let opened = File::open(&file.path).map_err(LakeError::io(&file.path))?;
    let metadata = ArrowReaderMetadata::load(&opened, Default::default()).map_err(wrong(&file.path))?;
    let groups = metadata.metadata().row_groups();
    let rows = groups.iter().map(|group| group.num_rows().unsigned_abs()).sum();
    let bytes = groups.iter().map(|group| group.total_byte_size().unsigned_abs()).sum();
    Ok((rows < ROWS_MAX / 2).then_some(Small { file, rows, bytes }))
}

/// Puts one file in the place of several. A crash in between leaves the one and some of the several; cleaning up
/// knows by the names that the one has their rows.
fn replace(root: &Path, spec: &Spec, group: &[Small]) -> Result<(), LakeError> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(()) };
    let mut batches = Vec::new();
    group.iter().try_for_each(|small| read(&small.file.path, &mut batches))?;
    let schema = crate::columns::schema(spec.columns);
    let rows = concat_batches(&schema, &batches).map_err(LakeError::internal("merge files"))?;
    drop(batches);
    let order = file::sorted(spec, &rows)?;
    let rows = take_record_batch(&rows, &order).map_err(LakeError::internal("merge files"))?;
    let name = file::name_of(first.file.from, last.file.until);
    let (aside, place) = (file::staging(root).join(&name), first.file.path.with_file_name(&name));
    file::write(&aside, &rows)?;
    file::sync(&[aside.as_path()])?;
    let Some(_alone) = offsets::nobody_reads(root)? else {
        return std::fs::remove_file(&aside).map_err(LakeError::io(&aside));
    };
    std::fs::rename(&aside, &place).map_err(LakeError::io(&place))?;
    for small in group {
        std::fs::remove_file(&small.file.path).map_err(LakeError::io(&small.file.path))?;
    }
    place.parent().map_or(Ok(()), |directory| file::sync(&[directory]))
}

fn read(path: &Path, batches: &mut Vec<RecordBatch>) -> Result<(), LakeError> {
    let file = File::open(path).map_err(LakeError::io(path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    for batch in reader.map_err(wrong(path))? {
        batches.push(batch.map_err(wrong(path))?);
    }
    Ok(())
}

fn wrong<E: ToString>(path: &Path) -> impl FnOnce(E) -> LakeError + '_ {
    move |error| LakeError::Parquet { path: path.to_owned(), row_group: None, reason: error.to_string() }
}
