//! What an endpoint is asked, and what it may answer.

use anyhow::{Context, Result, ensure};
use models::LEVELS;
use serde_json::{Value, json};

/// What is asked where no file is named.
const BUILT_IN: &str = include_str!("prompt.txt");
/// Longest text of a pin or a query that is put in (bytes), and longest template.
const TEXT_BYTES_MAX: usize = 2_000;
const TEMPLATE_BYTES_MAX: usize = 64 << 10;

/// What is told of a pin.
#[derive(Clone, Debug, Default)]
pub(crate) struct PinWords {
    pub title: String,
    pub description: String,
    pub topics: String,
}

/// A template: `{query}`, `{title}`, `{description}` and `{topics}` are filled in, each once or more often; `{query}`
/// and `{title}` must be there.
pub(super) struct Prompt(String);

impl Prompt {
    /// The template of a file; the built-in one for an empty name.
    pub(super) fn read(path: &str) -> Result<Prompt> {
        if path.is_empty() {
            return Ok(Prompt(BUILT_IN.to_owned()));
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("relevance.prompt: cannot read {path}"))?;
        ensure!(text.len() <= TEMPLATE_BYTES_MAX, "relevance.prompt: {path} is longer than {TEMPLATE_BYTES_MAX} bytes");
        for placeholder in ["{query}", "{title}"] {
            ensure!(text.contains(placeholder), "relevance.prompt: {path} does not say where {placeholder} belongs");
        }
        Ok(Prompt(text))
    }

    /// What is asked. Texts are put in as they are, cut to 2,000 bytes; a placeholder in them stays one.
    pub(super) fn of(&self, query: &str, pin: &PinWords) -> String {
        let values = [
            ("{query}", query),
            ("{title}", &pin.title),
            ("{description}", &pin.description),
            ("{topics}", &pin.topics),
        ];
        let (mut text, mut rest) = (String::new(), self.0.as_str());
        while let Some(start) = rest.find('{') {
            text += &rest[..start];
            rest = &rest[start..];
            match values.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, value)) => {
                    text += &value[..value.floor_char_boundary(TEXT_BYTES_MAX)];
                    rest = &rest[name.len()..];
                }
                None => {
                    text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        text + rest
    }
}

/// The body of a request.
pub(super) fn body(model: &str, prompt: &str) -> Value {
    let levels: Vec<usize> = (0..LEVELS).collect();
    let schema = json!({
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "one short sentence"},
            "level": {"type": "integer", "enum": levels},
        },
        "required": ["reason", "level"],
        "additionalProperties": false,
    });
    json!({
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "relevance", "strict": true, "schema": schema},
        },
    })
}

/// The level of an answer, and the tokens that it tells, or why it cannot be read.
pub(super) fn level(answer: &[u8]) -> (Result<usize, String>, Option<[u64; 2]>) {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return (Err("the answer is no JSON".into()), None);
    };
    let usage = &answer["usage"];
    let tokens = usage["prompt_tokens"].as_u64().zip(usage["completion_tokens"].as_u64());
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap_or("");
    let level = match serde_json::from_str::<Value>(content.trim()) {
        Ok(said) => said["level"].as_u64().map(|level| level as usize).filter(|level| *level < LEVELS),
        Err(_) => None,
    };
    let told: String = content.chars().take(80).collect();
    (level.ok_or_else(|| format!("the answer names no level: '{told}'")), tokens.map(|(a, b)| [a, b]))
}
