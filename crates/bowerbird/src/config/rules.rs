//! What the rules of the business may say.

use super::bounds::within;
use anyhow::{Result, bail};
use domain::{Params, RULES_MAX, RuleAction, RuleParams};
use serving::Catalogue;

/// Longest name of a rule (letters).
const NAME_MAX: usize = 40;

/// Whether every rule can be followed; an error names the rule that cannot.
pub(super) fn check(params: &Params) -> Result<()> {
    if params.rules.len() > RULES_MAX {
        bail!("params.rules: {} rules, at most {RULES_MAX}", params.rules.len());
    }
    for (number, rule) in params.rules.iter().enumerate() {
        let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if rule.name.is_empty() || rule.name.len() > NAME_MAX || !rule.name.chars().all(letter) {
            bail!("params.rules: '{}' is no name (1 to {NAME_MAX} of a-z 0-9 - _)", rule.name);
        }
        if params.rules[..number].iter().any(|other| other.name == rule.name) {
            bail!("params.rules.{}: there are two rules of this name", rule.name);
        }
        check_one(rule)?;
    }
    Ok(())
}

fn check_one(rule: &RuleParams) -> Result<()> {
    let key = format!("params.rules.{}", rule.name);
    if let Err(error) = Catalogue::new().check_filter(&rule.filter) {
        bail!("{key}: {error}");
    }
    match rule.action {
        RuleAction::PinTo(place) => within(&key, place, 1..=1_000),
        RuleAction::Boost(spreads) => within(&key, spreads, -100.0..=100.0),
        RuleAction::Cap(most) => within(&key, most, 0..=1_000),
        RuleAction::Bury => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn error(rules: &str) -> String {
        format!("{:#}", Config::parse(rules).expect_err(rules))
    }

    #[test]
    fn rules_are_read_and_wrong_ones_are_named_with_their_line() {
        let rule = |filter: &str, action: &str| {
            format!("[[params.rules]]\nname = \"spring\"\nfilter = '{filter}'\naction = {action}\n")
        };
        let fine = Config::parse(&rule("topic:spring AND language:en", "{ pin_to = 1 }")).expect("a rule");
        assert_eq!(fine.params.rules[0].action, domain::RuleAction::PinTo(1));
        assert!(fine.params.rules[0].holds_on(domain::Surface::Search));
        for action in ["\"bury\"", "{ boost = -0.5 }", "{ cap = 2 }"] {
            Config::parse(&rule("creator:ann", action)).expect(action);
        }
        let cases = [
            (rule("topic:", "\"bury\""), "line 2: params.rules.spring: filter, character"),
            (rule("colour:red", "\"bury\""), "line 2: params.rules.spring: filter: no field 'colour'"),
            (rule("topic:x", "{ pin_to = 0 }"), "line 2: params.rules.spring: 0 is not between 1 and 1000"),
            (rule("topic:x", "{ boost = nan }"), "line 2: params.rules.spring: NaN is not between"),
            (rule("topic:x", "\"bury\"").repeat(2), "line 2: params.rules.spring: there are two rules of this name"),
            (rule("topic:x", "\"bury\"").replace("spring", "Spring!"), "params.rules: 'Spring!' is no name"),
        ];
        for (text, expected) in cases {
            let error = error(&text);
            assert!(error.starts_with(expected), "{error}");
        }
        let unknown = error(&rule("topic:x", "\"burn\""));
        assert!(unknown.contains("line 4") && unknown.contains("pin_to"), "{unknown}");
        let surface = error(&(rule("topic:x", "\"bury\"") + "surfaces = [\"homes\"]\n"));
        assert!(surface.contains("homes") && surface.contains("related"), "{surface}");
    }
}
