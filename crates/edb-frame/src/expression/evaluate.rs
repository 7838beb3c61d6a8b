//! Trees to columns.

use std::sync::Arc;

use edb_core::Result;
use edb_series::align::Cells;

use super::lex::fault;
use super::parse::{Function, Kind, Node, Operator};
use super::unit::Unit;

/// The values of a part: one for each row, or one for all of them.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    Number(f64),
    Numbers(Cells),
    Text(Arc<str>),
    Texts(Vec<Option<Arc<str>>>),
    Truth(bool),
    Truths(Vec<Option<bool>>),
    /// No value in any row, of whatever kind is wanted.
    Null,
}

impl Values {
    fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Numbers(cells) => cells.get(row),
            _ => None,
        }
    }

    pub(crate) fn text(&self, row: usize) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Texts(texts) => texts[row].as_ref(),
            _ => None,
        }
    }

    pub(crate) fn truth(&self, row: usize) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            Self::Truths(truths) => truths[row],
            _ => None,
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Texts(_))
    }

    /// Whether one is text and the other is not.
    fn differs(&self, other: &Self) -> bool {
        let is_null = matches!(self, Self::Null) || matches!(other, Self::Null);
        !is_null && self.is_text() != other.is_text()
    }

    /// The numbers of all rows.
    pub(crate) fn into_numbers(self, rows: usize) -> Cells {
        match self {
            Self::Numbers(cells) => cells,
            one => {
                let mut cells = Cells::with_capacity(rows);
                (0..rows).for_each(|row| cells.push(one.number(row)));
                cells
            }
        }
    }
}

/// Values and their unit.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) values: Values,
    pub(crate) unit: Unit,
}

impl Typed {
    fn bare(values: Values) -> Self {
        Self { values, unit: Unit::default() }
    }
}

/// Where the values of mnemonics, of functions over time and of visits come from.
pub(crate) type Leaf<'a> = dyn FnMut(&Node) -> Result<Typed> + 'a;

struct Evaluation<'a, 'l> {
    text: &'a str,
    rows: usize,
    leaf: &'a mut Leaf<'l>,
    /// Remarks about units, each once.
    remarks: &'a mut Vec<String>,
}

/// The values of `node` in `rows` rows. `text` is what it was read from; remarks about units are added to `remarks`.
pub(crate) fn evaluate(
    node: &Node,
    text: &str,
    rows: usize,
    leaf: &mut Leaf<'_>,
    remarks: &mut Vec<String>,
) -> Result<Typed> {
    Evaluation { text, rows, leaf, remarks }.of(node)
}

impl Evaluation<'_, '_> {
    fn of(&mut self, node: &Node) -> Result<Typed> {
        match &node.kind {
            Kind::Number(number) => Ok(Typed::bare(Values::Number(*number))),
            Kind::Text(text) => Ok(Typed::bare(Values::Text(Arc::clone(text)))),
            Kind::Truth(truth) => Ok(Typed::bare(Values::Truth(*truth))),
            Kind::Null => Ok(Typed::bare(Values::Null)),
            Kind::Mnemonic(_) | Kind::Visit(_) | Kind::OverTime(..) => (self.leaf)(node),
            Kind::Negative(inner) => {
                let inner = self.numbers(inner)?;
                let values = self.map(&[&inner.values], |x| -x[0]);
                Ok(Typed { values, unit: inner.unit })
            }
            Kind::Not(inner) => {
                let inner = self.of(inner)?.values;
                Ok(Typed::bare(self.truths(|row| inner.truth(row).map(|truth| !truth))))
            }
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right),
            Kind::In(inner, members) => {
                let inner = self.of(inner)?;
                let mut found: Vec<Option<bool>> = vec![Some(false); self.rows];
                for member in members {
                    let member = self.comparable(&inner, member)?;
                    for (row, found) in found.iter_mut().enumerate() {
                        *found = or(*found, self.equal(&inner.values, &member.values, row));
                    }
                }
                Ok(Typed::bare(Values::Truths(found)))
            }
            Kind::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn fault(&self, node: &Node, message: &str) -> edb_core::Error {
        fault(self.text, &node.span, message)
    }

    /// A part that must be numbers.
    fn numbers(&mut self, node: &Node) -> Result<Typed> {
        let found = self.of(node)?;
        if found.values.is_text() {
            return Err(self.fault(node, "expected a number: this mnemonic is text"));
        }
        Ok(found)
    }

    /// A part that is compared with another one.
    fn comparable(&mut self, with: &Typed, node: &Node) -> Result<Typed> {
        let found = self.of(node)?;
        if found.values.differs(&with.values) {
            let message = if found.values.is_text() {
                "a number is compared with this text"
            } else {
                "a text is compared with this number: put it in quotes"
            };
            return Err(self.fault(node, message));
        }
        Ok(found)
    }

    #[expect(clippy::unused_self, reason = "it is a step of the evaluation")]
    fn equal(&self, a: &Values, b: &Values, row: usize) -> Option<bool> {
        if a.is_text() || b.is_text() {
            return Some(a.text(row)? == b.text(row)?);
        }
        #[expect(clippy::float_cmp, reason = "the user asks whether they are equal")]
        Some(a.number(row)? == b.number(row)?)
    }

    fn truths(&self, truth: impl FnMut(usize) -> Option<bool>) -> Values {
        Values::Truths((0..self.rows).map(truth).collect())
    }

    /// A function of numbers, row by row; no value where one of them has none.
    fn map<const N: usize>(&self, arguments: &[&Values; N], function: impl Fn([f64; N]) -> f64) -> Values {
        if let Some(numbers) = constants(arguments) {
            return Values::Number(function(numbers));
        }
        let mut cells = Cells::with_capacity(self.rows);
        for row in 0..self.rows {
            let mut numbers = [0.0; N];
            let mut is_known = true;
            for (number, argument) in numbers.iter_mut().zip(arguments) {
                match argument.number(row) {
                    Some(value) => *number = value,
                    None => is_known = false,
                }
            }
            cells.push(is_known.then(|| function(numbers)));
        }
        Values::Numbers(cells)
    }

    fn binary(&mut self, operator: Operator, left: &Node, right: &Node) -> Result<Typed> {
        match operator {
            Operator::And | Operator::Or => {
                let (a, b) = (self.of(left)?.values, self.of(right)?.values);
                let join = if operator == Operator::Or { or } else { and };
                Ok(Typed::bare(self.truths(|row| join(a.truth(row), b.truth(row)))))
            }
            Operator::Equal | Operator::NotEqual => {
                let a = self.of(left)?;
                let b = self.comparable(&a, right)?;
                self.same_unit("compares", &a, &b);
                let is_equal = operator == Operator::Equal;
                Ok(Typed::bare(
                    self.truths(|row| self.equal(&a.values, &b.values, row).map(|same| same == is_equal)),
                ))
            }
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                let (a, b) = (self.numbers(left)?, self.numbers(right)?);
                self.same_unit("compares", &a, &b);
                let holds = |a: f64, b: f64| match operator {
                    Operator::Less => a < b,
                    Operator::LessOrEqual => a <= b,
                    Operator::Greater => a > b,
                    _ => a >= b,
                };
                Ok(Typed::bare(self.truths(|row| Some(holds(a.values.number(row)?, b.values.number(row)?)))))
            }
            Operator::Add | Operator::Subtract => {
                let (a, b) = (self.numbers(left)?, self.numbers(right)?);
                self.same_unit(if operator == Operator::Add { "adds" } else { "subtracts" }, &a, &b);
                let values = if operator == Operator::Add {
                    self.map(&[&a.values, &b.values], |x| x[0] + x[1])
                } else {
                    self.map(&[&a.values, &b.values], |x| x[0] - x[1])
                };
                Ok(Typed { values, unit: Unit::common([&a.unit, &b.unit]) })
            }
            Operator::Multiply | Operator::Divide => {
                let (a, b) = (self.numbers(left)?, self.numbers(right)?);
                let is_product = operator == Operator::Multiply;
                let values = if is_product {
                    self.map(&[&a.values, &b.values], |x| x[0] * x[1])
                } else {
                    self.map(&[&a.values, &b.values], |x| x[0] / x[1])
                };
                Ok(Typed { values, unit: a.unit.times(&b.unit, if is_product { 1 } else { -1 }) })
            }
            Operator::Power => {
                let (a, b) = (self.numbers(left)?, self.numbers(right)?);
                let values = self.map(&[&a.values, &b.values], |x| x[0].powf(x[1]));
                let unit = match b.values {
                    Values::Number(power) if power.fract() == 0.0 && power.abs() <= 16.0 => {
                        Unit::default().times(&a.unit, power as i32)
                    }
                    Values::Number(power) if (power - 0.5).abs() < f64::EPSILON => {
                        a.unit.root().unwrap_or_default()
                    }
                    _ => Unit::default(),
                };
                Ok(Typed { values, unit })
            }
        }
    }

    /// Remarks on units that do not go together; a bare number goes with any.
    fn same_unit(&mut self, verb: &str, a: &Typed, b: &Typed) {
        if a.unit == b.unit || a.unit.is_none() || b.unit.is_none() {
            return;
        }
        let remark = format!("`{}` {verb} {} and {}", self.text, a.unit, b.unit);
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    fn call(&mut self, function: Function, arguments: &[Node]) -> Result<Typed> {
        if function == Function::If {
            return self.choose(arguments);
        }
        let found = arguments.iter().map(|argument| self.numbers(argument)).collect::<Result<Vec<_>>>()?;
        let one = &found[0];
        let plain: Option<fn(f64) -> f64> = match function {
            Function::Abs => Some(f64::abs),
            Function::Sqrt => Some(f64::sqrt),
            Function::Exp => Some(f64::exp),
            Function::Log => Some(f64::ln),
            Function::Log10 => Some(f64::log10),
            Function::Sin => Some(f64::sin),
            Function::Cos => Some(f64::cos),
            Function::Tan => Some(f64::tan),
            Function::Asin => Some(f64::asin),
            Function::Acos => Some(f64::acos),
            Function::Atan => Some(f64::atan),
            Function::Floor => Some(f64::floor),
            Function::Ceil => Some(f64::ceil),
            Function::Round => Some(f64::round_ties_even),
            _ => None,
        };
        if let Some(plain) = plain {
            let keeps =
                matches!(function, Function::Abs | Function::Floor | Function::Ceil | Function::Round);
            let unit = match function {
                Function::Sqrt => one.unit.root().unwrap_or_default(),
                _ if keeps => one.unit.clone(),
                _ => Unit::default(),
            };
            return Ok(Typed { values: self.map(&[&one.values], |x| plain(x[0])), unit });
        }
        if function == Function::Atan2 {
            return Ok(Typed::bare(self.map(&[&one.values, &found[1].values], |x| x[0].atan2(x[1]))));
        }
        found[1..].iter().for_each(|other| self.same_unit("compares", one, other));
        let unit = Unit::common(found.iter().map(|argument| &argument.unit));
        if function == Function::Clip {
            let (low, high) = (&found[1].values, &found[2].values);
            // NaN stays NaN, and borders the wrong way round give the upper one: nothing panics.
            let values = self.map(&[&one.values, low, high], |x| {
                let raised = if x[0] < x[1] { x[1] } else { x[0] };
                if raised > x[2] { x[2] } else { raised }
            });
            return Ok(Typed { values, unit });
        }
        let mut values = one.values.clone();
        for other in &found[1..] {
            // NaN is not passed over: a minimum of what is not a number is none.
            values = self.map(&[&values, &other.values], |x| match function {
                _ if x[0].is_nan() || x[1].is_nan() => f64::NAN,
                Function::Min => x[0].min(x[1]),
                _ => x[0].max(x[1]),
            });
        }
        Ok(Typed { values, unit })
    }

    fn choose(&mut self, arguments: &[Node]) -> Result<Typed> {
        let truth = self.of(&arguments[0])?.values;
        let then = self.of(&arguments[1])?;
        let otherwise = self.of(&arguments[2])?;
        if then.values.differs(&otherwise.values) {
            return Err(self.fault(&arguments[2], "both branches of `if` must be of one kind"));
        }
        let pick =
            |row: usize| truth.truth(row).map(|truth| if truth { &then.values } else { &otherwise.values });
        let kind = if matches!(then.values, Values::Null) { &otherwise.values } else { &then.values };
        let values = match kind {
            Values::Text(_) | Values::Texts(_) => {
                Values::Texts((0..self.rows).map(|row| pick(row)?.text(row).cloned()).collect())
            }
            Values::Truth(_) | Values::Truths(_) => self.truths(|row| pick(row)?.truth(row)),
            Values::Number(_) | Values::Numbers(_) | Values::Null => {
                let mut cells = Cells::with_capacity(self.rows);
                (0..self.rows).for_each(|row| cells.push(pick(row).and_then(|values| values.number(row))));
                Values::Numbers(cells)
            }
        };
        self.same_unit("chooses between", &then, &otherwise);
        Ok(Typed { values, unit: Unit::common([&then.unit, &otherwise.unit]) })
    }
}

fn constants<const N: usize>(arguments: &[&Values; N]) -> Option<[f64; N]> {
    let mut numbers = [0.0; N];
    for (number, argument) in numbers.iter_mut().zip(arguments) {
        *number = match argument {
            Values::Number(value) => *value,
            _ => return None,
        };
    }
    Some(numbers)
}

/// What is false whatever the other is, is false; else what is not known makes it not known.
fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
