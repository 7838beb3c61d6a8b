//! Expressions over mnemonics: conditions (`MODE = 'ON' and VOLT > 25`) and quantities (`CURRENT * VOLT`).
//!
//! ```text
//! numbers     1   2.5e-3          texts    'ON'   "it''s"        truths   true   false
//! arithmetic  + - * / ^           comparison  = != < <= > >=  in (…)  not in (…)        and or not
//! functions   abs sqrt exp log log10 sin cos tan asin acos atan atan2 floor ceil round min max clip(x, low, high)
//!             if(condition, then, otherwise)
//! over time   diff(x)   rate(x)   rolling_mean(x, 10s)   rolling_median(x, 10s)   rolling_std(x, 10s)
//! visits      visit V01234001001             nothing  null
//! ```
//!
//! Angles are in radians; `log` is natural. `rate` is the difference from the sample before, for each second. Functions over time work on the times
//! of the first mnemonic in their argument. What has no value (null, out of reach) has none in any expression, and is neither true nor
//! false; but `false and …` is false and `true or …` is true. Integers beyond 2^53 are compared as the nearest double, and have no value in a quantity. Names are mnemonics in any case; texts go in
//! quotes.

mod evaluate;
mod lex;
mod parse;
mod unit;

use std::fmt;
use std::sync::Arc;

use edb_core::{Error, Mnemonic, Result};

pub(crate) use evaluate::{Leaf, Typed, Values, evaluate};
pub(crate) use lex::fault;
pub(crate) use parse::{Kind, Node, Operator, OverTime};
pub(crate) use unit::Unit;

/// The mnemonic that the event log's messages have.
pub(crate) const EVENT_MESSAGES: &str = "ICTM_EVENT_MSG";

/// An expression that was read and has types that fit.
///
/// # Examples
/// ```
/// use edb_frame::Expression;
///
/// let power = Expression::parse("SE_ZIMIRICEA * SE_ZBUSVLT").unwrap();
/// assert_eq!(power.mnemonics().len(), 2);
/// let error = Expression::parse("SE_ZIMIRICEA * * 2").unwrap_err();
/// assert!(error.to_string().ends_with("\n  SE_ZIMIRICEA * * 2\n                 ^"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    pub(crate) text: Arc<str>,
    pub(crate) root: Node,
    is_truth: bool,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] with a caret under what cannot be read.
    pub fn parse(text: &str) -> Result<Self> {
        let root = parse::parse(text)?;
        let found = parse::check(&root, text)?;
        Ok(Self { text: text.trim_end().into(), root, is_truth: found == parse::Type::Truth })
    }

    /// Reads an expression that is true or false.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and if it is a number or a text.
    pub fn parse_condition(text: &str) -> Result<Self> {
        let expression = Self::parse(text)?;
        if expression.mnemonics().is_empty() {
            let message = "it names no mnemonic, and so holds always or never";
            return Err(fault(text, &expression.root.span, message));
        }
        if expression.is_truth {
            return Ok(expression);
        }
        Err(fault(text, &expression.root.span, "expected a condition, found a value")
            .with_hint("compare it with something, as in `A > 1` or `MODE = 'ON'`"))
    }

    /// The mnemonics that it needs, in the order in which they are named.
    pub fn mnemonics(&self) -> Vec<Mnemonic> {
        let mut names = Vec::new();
        collect(&self.root, &mut names);
        names
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The mnemonics of a part, each once, in the order in which they are named.
pub(crate) fn collect(node: &Node, names: &mut Vec<Mnemonic>) {
    let mut add = |name: &Mnemonic| {
        if !names.contains(name) {
            names.push(name.clone());
        }
    };
    match &node.kind {
        Kind::Mnemonic(name) => add(name),
        Kind::Visit(_) => Mnemonic::new(EVENT_MESSAGES).iter().for_each(add),
        _ => node.children().into_iter().for_each(|child| collect(child, names)),
    }
}

/// A quantity of its own: `power = SE_ZIMIRICEA * SE_ZBUSVLT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What it is called, as a mnemonic would be.
    pub name: Mnemonic,
    /// What it is made of.
    pub expression: Expression,
}

impl Definition {
    /// Reads `name = expression`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if there is no name, if the expression cannot be read, or if it names itself.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, expression) =
            text.split_once('=').filter(|(_, rest)| !rest.starts_with('=')).ok_or_else(|| {
                Error::usage(format!("could not read `{text}` as a derived quantity"))
                    .with_hint("write `name = expression`, as in `power = SE_ZIMIRICEA * SE_ZBUSVLT`")
            })?;
        let name = Mnemonic::new(name)?;
        let expression = Expression::parse(expression.trim())?;
        if expression.mnemonics().contains(&name) {
            return Err(Error::usage(format!("could not derive {name} from itself"))
                .with_hint("give the derived quantity a name of its own"));
        }
        Ok(Self { name, expression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_marked() {
        for (text, message, marked) in [
            ("", "found the end", 0..1),
            ("A >", "expected a mnemonic", 3..4),
            ("A > 1 B", "expected an operator or the end, found `B`", 6..7),
            ("(A > 1", "expected `)`, found the end", 6..7),
            ("A > 'ON", "the quote is not closed", 4..7),
            ("A < 1 < 2", "join comparisons with `and`", 0..5),
            ("not A", "expected something true or false", 4..5),
            ("A and B > 1", "expected something true or false", 0..1),
            ("A + 'x'", "expected a number, found a text", 4..7),
            ("A > 'x'", "texts have no order", 0..7),
            ("1 = 'x'", "cannot be compared", 0..7),
            ("frobnicate(A)", "there is no function `frobnicate`", 0..10),
            ("clip(A, 1)", "takes 3 arguments, found 2", 0..10),
            ("rolling_mean(A, 10)", "takes a window", 16..18),
            ("A + 10s", "a duration is the last argument", 4..7),
            ("A + 10x", "expected a number, or a duration", 4..7),
            ("A § 1", "`§` has no meaning", 2..3),
            ("if(A > 1, 'x', 2)", "both branches", 0..17),
            ("A in ()", "expected a mnemonic", 6..7),
        ] {
            let error = Expression::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
            let caret = error.lines().last().unwrap();
            let found = caret.find('^').unwrap() - 2..caret.len() - 2;
            assert_eq!(found, marked, "{text}: {error}");
        }
        let long = format!("A{}", " + 1".repeat(3000));
        assert!(Expression::parse(&long).unwrap_err().to_string().contains("more than 500 operators"));
        for text in ["1 = 1", "true"] {
            let error = Expression::parse_condition(text).unwrap_err().to_string();
            assert!(error.contains("names no mnemonic"), "{text}: {error}");
        }
        assert!(Expression::parse("visit banana").unwrap_err().to_string().contains("expected a visit as"));
        let nested = format!("{}1{}", "(".repeat(500), ")".repeat(500));
        assert!(Expression::parse(&nested).unwrap_err().to_string().contains("nested too deeply"));
        assert!(
            Expression::parse_condition("A + 1").unwrap_err().to_string().contains("expected a condition")
        );
    }

    #[test]
    fn mnemonics_come_in_the_order_in_which_they_are_named() {
        let expression =
            Expression::parse("b > 1 and (a in (1, c) or not visit V01234001001) and b < rate(d)").unwrap();
        let names: Vec<String> = expression.mnemonics().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["B", "A", "C", EVENT_MESSAGES, "D"]);
    }

    #[test]
    fn a_definition_has_a_name() {
        let power = Definition::parse("power = A * B").unwrap();
        assert_eq!((power.name.as_str(), power.expression.to_string().as_str()), ("POWER", "A * B"));
        for bad in ["A * B", "power == 1", "= 2", "p q = 1", "a = A + 1"] {
            assert!(Definition::parse(bad).is_err(), "{bad}");
        }
    }
}
