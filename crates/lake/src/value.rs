//! Arrow values to JSON values.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Number, Value};

const DAY_MS: i64 = 86_400_000;

/// The column without dictionary or run-length encoding.
pub(crate) fn plain(column: &ArrayRef) -> ArrayRef {
    let of = match column.data_type() {
        DataType::Dictionary(_, of) => of.as_ref().clone(),
        DataType::RunEndEncoded(_, of) => of.data_type().clone(),
        _ => return column.clone(),
    };
    cast(column, &of).unwrap_or_else(|_| column.clone())
}

/// The value in row `row`. Moments and days are text (RFC 3339); numbers that JSON does not have are gaps.
pub(crate) fn json(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float16 => short_float(array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => short_float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(_, _) => list(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            fields.iter().zip(columns).map(|(field, column)| (field.name().clone(), json(column, row))).collect()
        }
        _ => shown(array, row),
    }
}

/// The value as text for importing: lists and structures as JSON, moments and days as milliseconds since 1970 (UTC).
pub(crate) fn text(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    if let Some(ms) = moment_ms(array, row) {
        return Some(ms.to_string());
    }
    match json(array, row) {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn moment_ms(array: &dyn Array, row: usize) -> Option<i64> {
    Some(match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => array.as_primitive::<TimestampMillisecondType>().value(row),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000)
        }
        DataType::Date32 => i64::from(array.as_primitive::<Date32Type>().value(row)) * DAY_MS,
        DataType::Date64 => array.as_primitive::<Date64Type>().value(row),
        _ => return None,
    })
}

fn list(values: &ArrayRef) -> Value {
    let values = plain(values);
    (0..values.len()).map(|row| json(&values, row)).collect()
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// The shortest number that is the same `f32`: 0.1 rather than 0.10000000149011612.
fn short_float(value: f32) -> Value {
    value.to_string().parse().map_or(Value::Null, float)
}

fn shown(array: &dyn Array, row: usize) -> Value {
    let options = FormatOptions::default().with_display_error(true);
    let text = ArrayFormatter::try_new(array, &options).and_then(|format| format.value(row).try_to_string());
    text.map_or(Value::Null, Value::String)
}

/// About how many bytes a value takes as JSON.
pub(crate) fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => 2 + values.iter().map(bytes).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(name, value)| name.len() + 4 + bytes(value)).sum::<usize>(),
        _ => 8,
    }
}
