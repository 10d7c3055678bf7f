//! What happened, in order of time: for training rows and replays.

use crate::sql::{context, question};
use crate::{Lake, LakeError, offsets};
use datafusion::arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{ArrowPrimitiveType, Float32Type, Int64Type, TimestampMillisecondType};
use domain::{Event, EventId};
use futures::StreamExt;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender};

/// Batches that wait to be read.
const AHEAD_MAX: usize = 2;

/// Events about pins. Ids are not needed: the log has each event once.
const QUERY: &str = "SELECT log_offset, ts, pinner, action, surface, pin, board, query, request_id, props, position, \
     value FROM events WHERE pin IS NOT NULL ORDER BY ts, log_offset";

/// An event with its place in the log.
pub type Placed = (u64, Event);

impl Lake {
    /// Gives all events about pins that were rolled, in order of time and, where time ties, of the log, to `each`, a
    /// few thousand at once, until it says `false` or there are no more. Sorted outside of memory where there are many:
    /// what is held at a time is bounded. Events come without their ids.
    pub fn events_in_time(&self, each: &mut dyn FnMut(Vec<Placed>) -> bool) -> Result<(), LakeError> {
        let runtime = self.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| LakeError::Question("the lake is being closed".to_owned()))?;
        let (send, receive) = mpsc::sync_channel(AHEAD_MAX);
        let root = self.root.clone();
        let reading = offsets::reading(&root)?;
        runtime.spawn(async move {
            if let Err(error) = stream(&root, &send).await {
                // Nobody listens any more when enough was read.
                let _ = send.send(Err(error));
            }
            drop(reading);
        });
        for batch in receive {
            if !each(events(&batch?)?) {
                break;
            }
        }
        Ok(())
    }
}

async fn stream(root: &Path, send: &SyncSender<Result<RecordBatch, LakeError>>) -> Result<(), LakeError> {
    let context = context(root).await?;
    let frame = context.sql(QUERY).await.map_err(question)?;
    let mut batches = frame.execute_stream().await.map_err(question)?;
    while let Some(batch) = batches.next().await {
        if send.send(Ok(batch.map_err(question)?)).is_err() {
            break;
        }
    }
    Ok(())
}

fn events(batch: &RecordBatch) -> Result<Vec<Placed>, LakeError> {
    let columns = Columns { batch };
    let (offsets, moments) = (columns.numbers::<Int64Type>(0)?, columns.numbers::<TimestampMillisecondType>(1)?);
    let (positions, values) = (columns.numbers::<Int64Type>(10)?, columns.numbers::<Float32Type>(11)?);
    let texts: Vec<&StringArray> = (2..10).map(|column| columns.texts(column)).collect::<Result<_, _>>()?;
    let rows = (0..batch.num_rows()).map(|row| {
        let text = |column: usize| texts[column - 2].is_valid(row).then(|| texts[column - 2].value(row));
        let word = |column: usize| text(column).unwrap_or_default();
        let event = Event {
            event_id: EventId(0),
            ts_ms: moments.value(row).max(0) as u64,
            pinner: word(2).to_owned(),
            action: word(3).parse().map_err(LakeError::internal("read an event"))?,
            surface: word(4).parse().map_err(LakeError::internal("read an event"))?,
            pin: text(5).map(str::to_owned),
            board: text(6).map(str::to_owned),
            query: text(7).map(str::to_owned),
            request_id: text(8).and_then(|id| id.parse().ok()),
            position: positions.is_valid(row).then(|| positions.value(row) as u16),
            value: values.is_valid(row).then(|| values.value(row)),
            props: text(9).map(str::to_owned),
        };
        Ok((offsets.value(row) as u64, event))
    });
    rows.collect()
}

/// Columns of a batch by place.
struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    fn numbers<T: ArrowPrimitiveType>(&self, column: usize) -> Result<&'a PrimitiveArray<T>, LakeError> {
        self.batch.column(column).as_primitive_opt().ok_or_else(|| self.odd(column))
    }

    fn texts(&self, column: usize) -> Result<&'a StringArray, LakeError> {
        self.batch.column(column).as_string_opt().ok_or_else(|| self.odd(column))
    }

    fn odd(&self, column: usize) -> LakeError {
        let reason = format!("column {column} is {}", self.batch.column(column).data_type());
        LakeError::Internal { what: "read events", reason }
    }
}
