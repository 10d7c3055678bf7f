//! Questions in SQL.

use crate::columns::schema;
use crate::tables::{SPECS, Spec, TABLES, VIEWS};
use crate::{Lake, LakeError, offsets, value};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::StreamExt;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Longest question (bytes).
pub const SQL_BYTES_MAX: usize = 16 << 10;

/// Most operators in a question: planning takes time with the square of a chain's length, and cannot be interrupted.
pub(crate) const OPERATORS_MAX: usize = 400;

/// Most tables that a question may join, for the same reason.
const JOINS_MAX: usize = 32;

/// Most rows of an answer, whatever is asked for.
pub const ROWS_MAX: usize = 1_000_000;

/// Size at which an answer is cut off (bytes as JSON, about).
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Memory that sorting, grouping and joining may take per question before they go to disk (bytes).
const MEMORY_BYTES_MAX: usize = 256 << 20;

/// Room on disk for that (bytes).
const SPILL_BYTES_MAX: u64 = 4 << 30;

/// Functions that make much out of little, outside of what the memory limit counts.
const LEFT_OUT: [&str; 8] =
    ["repeat", "lpad", "rpad", "array_repeat", "list_repeat", "array_resize", "list_resize", "space"];

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, one value per column. Moments and days are text (RFC 3339, UTC).
    pub rows: Vec<Vec<Value>>,
    /// Whether there would have been more rows.
    pub truncated: bool,
}

impl Lake {
    /// Answers a question. At most `row_max` rows are given (and never more than [`ROWS_MAX`]); what takes longer than
    /// `timeout` is given up.
    pub fn sql(&self, query: &str, row_max: usize, timeout: Duration) -> Result<Table, LakeError> {
        if query.len() > SQL_BYTES_MAX {
            let message = format!("the question is {} bytes long, at most {SQL_BYTES_MAX} are taken", query.len());
            return Err(LakeError::Question(message));
        }
        let runtime = self.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| LakeError::Question("the lake is being closed".to_owned()))?;
        let (send, receive) = mpsc::sync_channel(1);
        let (root, query) = (self.root.clone(), query.to_owned());
        let reading = offsets::reading(&root)?;
        let task = runtime.spawn(async move {
            let answer = ask(&root, &query, row_max.min(ROWS_MAX)).await;
            drop(reading);
            // Nobody listens any more when the time was up.
            let _ = send.send(answer);
        });
        match receive.recv_timeout(timeout) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                task.abort();
                Err(LakeError::Timeout(timeout.as_millis()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(LakeError::Question("the engine failed on this question".to_owned()))
            }
        }
    }
}

async fn ask(root: &Path, query: &str, row_max: usize) -> Result<Table, LakeError> {
    check_size(query)?;
    let context = context(root).await?;
    let plan = context.state().create_logical_plan(query).await.map_err(question)?;
    let only_questions = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    only_questions.verify_plan(&plan).map_err(|error| match error {
        DataFusionError::Plan(reason) => LakeError::Question(format!("only questions are answered: {reason}")),
        other => question(other),
    })?;
    check_joins(&plan)?;
    let frame = context.execute_logical_plan(plan).await.map_err(question)?;
    let columns = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut table = Table { columns, rows: Vec::new(), truncated: false };
    let mut stream = frame.execute_stream().await.map_err(question)?;
    let mut bytes = 0;
    while let Some(batch) = stream.next().await {
        take_rows(&batch.map_err(question)?, row_max, &mut bytes, &mut table);
        if table.truncated {
            break;
        }
    }
    Ok(table)
}

/// Refuses questions that would be planned for longer than anybody waits.
fn check_size(query: &str) -> Result<(), LakeError> {
    let tokens = Tokenizer::new(&GenericDialect {}, query).tokenize();
    let tokens = tokens.map_err(|error| LakeError::Question(format!("this is not SQL: {error}")))?;
    let operators = tokens.iter().filter(|token| chains(token)).count();
    if operators > OPERATORS_MAX {
        let message = format!("the question has {operators} operators and joins, at most {OPERATORS_MAX} are taken");
        return Err(LakeError::Question(message));
    }
    Ok(())
}

/// Whether a token adds a step to a plan or an expression, rather than a name or a value to a list.
fn chains(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::SELECT
                | Keyword::WHEN
                | Keyword::AS
        ),
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) | Token::Whitespace(_) => false,
        Token::Comma | Token::Period | Token::RParen | Token::RBracket => false,
        _ => true,
    }
}

fn check_joins(plan: &LogicalPlan) -> Result<(), LakeError> {
    let mut joins = 0;
    let counted = plan.apply_with_subqueries(|node| {
        joins += usize::from(matches!(node, LogicalPlan::Join(_)));
        Ok(TreeNodeRecursion::Continue)
    });
    counted.map_err(question)?;
    if joins > JOINS_MAX {
        return Err(LakeError::Question(format!("the question has {joins} joins, at most {JOINS_MAX} are taken")));
    }
    Ok(())
}

fn take_rows(batch: &RecordBatch, row_max: usize, bytes: &mut usize, table: &mut Table) {
    let columns: Vec<_> = batch.columns().iter().map(value::plain).collect();
    for row in 0..batch.num_rows() {
        if table.rows.len() >= row_max || *bytes >= ANSWER_BYTES_MAX {
            table.truncated = true;
            return;
        }
        let values: Vec<Value> = columns.iter().map(|column| value::json(column, row)).collect();
        *bytes += values.iter().map(value::bytes).sum::<usize>();
        table.rows.push(values);
    }
}

/// A fresh session over the files that are there now.
pub(crate) async fn context(root: &Path) -> Result<SessionContext, LakeError> {
    let config = SessionConfig::new()
        .with_target_partitions(2)
        .with_information_schema(true)
        .with_default_catalog_and_schema("bowerbird", "lake");
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(MEMORY_BYTES_MAX, 1.0)
        .with_max_temp_directory_size(SPILL_BYTES_MAX)
        .build_arc()
        .map_err(LakeError::internal("start a session"))?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    LEFT_OUT.iter().for_each(|name| context.deregister_udf(name));
    for spec in &SPECS {
        let table = listing(root, spec).map_err(LakeError::internal("open a table"))?;
        context.register_table(spec.name, Arc::new(table)).map_err(LakeError::internal("open a table"))?;
    }
    for (name, sql) in VIEWS {
        let frame = context.sql(sql).await.map_err(LakeError::internal("open a view"))?;
        context.register_table(name, frame.into_view()).map_err(LakeError::internal("open a view"))?;
    }
    Ok(context)
}

fn listing(root: &Path, spec: &Spec) -> Result<ListingTable, DataFusionError> {
    let url = ListingTableUrl::parse(file_url(&root.join(spec.name)))?;
    let mut options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    if spec.monthly {
        options = options.with_table_partition_cols(vec![("month".to_owned(), DataType::Utf8)]);
    }
    let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(schema(spec.columns));
    ListingTable::try_new(config)
}

/// A directory as a URL. Written out because a bare path would be taken for a pattern where it holds `*`, `?` or `[`.
fn file_url(directory: &Path) -> String {
    let mut url = "file://".to_owned();
    for &byte in directory.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(url, "%{byte:02X}")),
        }
    }
    url.push('/');
    url
}

/// What the engine says about a question, in our words where its own do not help.
pub(crate) fn question(error: DataFusionError) -> LakeError {
    let text = match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => format!(
            "the question needs more than {} MiB of memory: ask for less, or aggregate first",
            MEMORY_BYTES_MAX >> 20
        ),
        root => root.strip_backtrace(),
    };
    let known = unknown_table(&text).map(|name| {
        let name = name.rsplit('.').next().unwrap_or(name);
        format!("unknown table '{name}' (known: {})", TABLES.join(" "))
    });
    LakeError::Question(known.unwrap_or(text))
}

fn unknown_table(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("table '")?;
    rest.split_once("' not found").map(|(name, _)| name)
}
