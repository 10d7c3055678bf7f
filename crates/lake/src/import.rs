//! Somebody else's Parquet, row by row.

use crate::{LakeError, value};
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 1_024;

/// The rows of a Parquet file as text, one value per column of [`ParquetRows::columns`], `None` for a gap. Lists and
/// structures come as JSON, moments and days as milliseconds since 1970 (UTC). A row group that cannot be read gives
/// one error, and the next one follows.
pub struct ParquetRows {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    columns: Vec<String>,
    /// The row group to open next.
    next_group: usize,
    reader: Option<ParquetRecordBatchReader>,
    /// The batch that is being given, and its next row.
    batch: (Vec<ArrayRef>, usize, usize),
}

/// Opens a Parquet file for reading row by row.
pub fn read_parquet(path: &Path) -> Result<ParquetRows, LakeError> {
    let file = File::open(path).map_err(LakeError::io(path))?;
    let length = file.metadata().map_err(LakeError::io(path))?.len();
    let loaded = guarded(|| ArrowReaderMetadata::load(&file, Default::default()).map_err(|error| error.to_string()));
    let metadata = loaded.map_err(|reason| wrong(path, None, reason))?;
    check_places(path, &metadata, length)?;
    let columns = metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
    let batch = (Vec::new(), 0, 0);
    Ok(ParquetRows { path: path.to_owned(), file, metadata, columns, next_group: 0, reader: None, batch })
}

impl ParquetRows {
    /// The columns' names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows the file says it has.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Fetches the next batch that has rows; false at the end of the file.
    fn fetch(&mut self) -> Result<bool, LakeError> {
        loop {
            if self.reader.is_none() && !self.open_group()? {
                return Ok(false);
            }
            let reader = &mut self.reader;
            let next = guarded(|| reader.as_mut().and_then(Iterator::next).transpose().map_err(|e| e.to_string()));
            match next {
                Ok(Some(batch)) if batch.num_rows() > 0 => {
                    self.batch = (columns_of(&batch), 0, batch.num_rows());
                    return Ok(true);
                }
                Ok(Some(_)) => {}
                Ok(None) => self.reader = None,
                Err(reason) => {
                    self.reader = None;
                    return Err(wrong(&self.path, Some(self.next_group - 1), reason));
                }
            }
        }
    }

    fn open_group(&mut self) -> Result<bool, LakeError> {
        let group = self.next_group;
        if group >= self.metadata.metadata().num_row_groups() {
            return Ok(false);
        }
        self.next_group += 1;
        let file = self.file.try_clone().map_err(LakeError::io(&self.path))?;
        let metadata = self.metadata.clone();
        let reader = guarded(move || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
            builder.with_row_groups(vec![group]).with_batch_size(BATCH_ROWS).build().map_err(|error| error.to_string())
        });
        self.reader = Some(reader.map_err(|reason| wrong(&self.path, Some(group), reason))?);
        Ok(true)
    }
}

impl Iterator for ParquetRows {
    type Item = Result<Vec<Option<String>>, LakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.1 >= self.batch.2 {
            match self.fetch() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let (columns, row, _) = &mut self.batch;
        let values = columns.iter().map(|column| value::text(column, *row)).collect();
        *row += 1;
        Some(Ok(values))
    }
}

fn columns_of(batch: &RecordBatch) -> Vec<ArrayRef> {
    batch.columns().iter().map(value::plain).collect()
}

/// Refuses a file whose footer names places outside of it, before the reader makes room for what would lie there.
fn check_places(path: &Path, metadata: &ArrowReaderMetadata, length: u64) -> Result<(), LakeError> {
    for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
        for column in group.columns() {
            let (start, bytes) = guarded(|| Ok(column.byte_range())).unwrap_or((u64::MAX, u64::MAX));
            if start.checked_add(bytes).is_none_or(|end| end > length) {
                let reason = format!("column '{}' lies outside of the file", column.column_path().string());
                return Err(wrong(path, Some(number), reason));
            }
        }
    }
    Ok(())
}

fn wrong(path: &Path, row_group: Option<usize>, reason: String) -> LakeError {
    LakeError::Parquet { path: path.to_owned(), row_group, reason }
}

/// Runs the reader, which panics on some files that are not what they say.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("the file is not what it says it is".to_owned()))
}
