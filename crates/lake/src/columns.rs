//! Rows to columns.

use crate::LakeError;
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float32Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// The last millisecond of the year 9999: later moments cannot be shown.
const MOMENT_MS_MAX: u64 = 253_402_300_799_999;

const DAY_MS: u64 = 86_400_000;

/// What a column holds. Every column may have gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Texts,
    Int,
    Float,
    Floats,
    Flag,
    /// Milliseconds, UTC.
    Moment,
    /// The day of a moment, UTC.
    Day,
}

/// A column's name and kind.
pub(crate) type Column = (&'static str, Kind);

/// One value on its way into a column.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Texts(&'a [String]),
    Int(i64),
    Float(f32),
    Floats(&'a [f32]),
    Flag(bool),
    /// A moment (ms, UTC), for columns of moments and of days.
    Moment(u64),
    Gap,
}

impl<'a> Cell<'a> {
    /// Text, or a gap.
    pub(crate) fn text(text: Option<&'a str>) -> Cell<'a> {
        text.map_or(Cell::Gap, Cell::Text)
    }

    /// A number, or a gap.
    pub(crate) fn int(number: Option<impl Into<i64>>) -> Cell<'a> {
        number.map_or(Cell::Gap, |number| Cell::Int(number.into()))
    }

    /// About how many bytes it takes.
    fn bytes(&self) -> usize {
        match self {
            Cell::Text(text) => 4 + text.len(),
            Cell::Texts(texts) => 4 + texts.iter().map(|text| 4 + text.len()).sum::<usize>(),
            Cell::Floats(values) => 4 + 4 * values.len(),
            _ => 8,
        }
    }
}

enum Builder {
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Int(Int64Builder),
    Float(Float32Builder),
    Floats(ListBuilder<Float32Builder>),
    Flag(BooleanBuilder),
    Moment(TimestampMillisecondBuilder),
    Day(Date32Builder),
}

impl Builder {
    fn new(kind: Kind) -> Builder {
        match kind {
            Kind::Text => Builder::Text(StringBuilder::new()),
            Kind::Texts => Builder::Texts(ListBuilder::new(StringBuilder::new())),
            Kind::Int => Builder::Int(Int64Builder::new()),
            Kind::Float => Builder::Float(Float32Builder::new()),
            Kind::Floats => Builder::Floats(ListBuilder::new(Float32Builder::new())),
            Kind::Flag => Builder::Flag(BooleanBuilder::new()),
            Kind::Moment => Builder::Moment(TimestampMillisecondBuilder::new().with_timezone("UTC")),
            Kind::Day => Builder::Day(Date32Builder::new()),
        }
    }

    /// Adds a cell; one of another kind leaves a gap.
    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Builder::Text(column), Cell::Text(text)) => column.append_value(text),
            (Builder::Text(column), _) => column.append_null(),
            (Builder::Texts(column), Cell::Texts(texts)) => column.append_value(texts.iter().map(Some)),
            (Builder::Texts(column), _) => column.append_null(),
            (Builder::Int(column), Cell::Int(number)) => column.append_value(number),
            (Builder::Int(column), _) => column.append_null(),
            (Builder::Float(column), Cell::Float(value)) => column.append_value(value),
            (Builder::Float(column), _) => column.append_null(),
            (Builder::Floats(column), Cell::Floats(values)) => {
                column.values().append_slice(values);
                column.append(true);
            }
            (Builder::Floats(column), _) => column.append_null(),
            (Builder::Flag(column), Cell::Flag(flag)) => column.append_value(flag),
            (Builder::Flag(column), _) => column.append_null(),
            (Builder::Moment(column), Cell::Moment(ms)) => column.append_value(ms.min(MOMENT_MS_MAX) as i64),
            (Builder::Moment(column), _) => column.append_null(),
            (Builder::Day(column), Cell::Moment(ms)) => column.append_value((ms.min(MOMENT_MS_MAX) / DAY_MS) as i32),
            (Builder::Day(column), _) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Text(column) => Arc::new(column.finish()),
            Builder::Texts(column) => Arc::new(column.finish()),
            Builder::Int(column) => Arc::new(column.finish()),
            Builder::Float(column) => Arc::new(column.finish()),
            Builder::Floats(column) => Arc::new(column.finish()),
            Builder::Flag(column) => Arc::new(column.finish()),
            Builder::Moment(column) => Arc::new(column.finish()),
            Builder::Day(column) => Arc::new(column.finish()),
        }
    }
}

/// Rows of one table that are gathered as columns.
pub(crate) struct Rows {
    schema: SchemaRef,
    builders: Vec<Builder>,
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

impl Rows {
    /// No rows of a table with these columns.
    pub(crate) fn new(columns: &[Column]) -> Rows {
        let builders = columns.iter().map(|&(_, kind)| Builder::new(kind)).collect();
        Rows { schema: schema(columns), builders, rows: 0, bytes: 0 }
    }

    /// Adds a row: one cell per column, in the columns' order.
    pub(crate) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        debug_assert_eq!(cells.len(), self.builders.len());
        self.rows += 1;
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            self.bytes += cell.bytes();
            builder.push(cell);
        }
    }

    /// The rows as a batch.
    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        RecordBatch::try_new(self.schema, columns).map_err(LakeError::internal("gather rows"))
    }
}

/// The columns as Arrow and Parquet know them.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let list = |of| DataType::List(Arc::new(Field::new_list_field(of, true)));
    let fields = columns.iter().map(|&(name, kind)| {
        let of = match kind {
            Kind::Text => DataType::Utf8,
            Kind::Texts => list(DataType::Utf8),
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float32,
            Kind::Floats => list(DataType::Float32),
            Kind::Flag => DataType::Boolean,
            Kind::Moment => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Kind::Day => DataType::Date32,
        };
        Field::new(name, of, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Year and month of a day (days since 1970-01-01), by Hinnant's `civil_from_days`.
pub(crate) fn month_of(day: i32) -> String {
    let days = i64::from(day) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_fall_into_their_months() {
        for (day, month) in [
            (0, "1970-01"),
            (30, "1970-01"),
            (31, "1970-02"),
            (11_016, "2000-02"),
            (11_017, "2000-03"),
            (20_058, "2024-12"),
            (-1, "1969-12"),
            (2_932_896, "9999-12"),
        ] {
            assert_eq!(month_of(day), month, "{day}");
        }
    }
}
