//! Text to a tree.

use std::ops::Range;
use std::sync::Arc;

use edb_core::{Error, Mnemonic, Result};

use super::lex::{Token, fault, lex};
use crate::events::visit_name;

/// A part of an expression, and where it stands in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
}

impl Node {
    /// The parts that it is directly made of, as they stand in the text.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Number(_)
            | Kind::Text(_)
            | Kind::Truth(_)
            | Kind::Null
            | Kind::Mnemonic(_)
            | Kind::Visit(_) => Vec::new(),
            Kind::Negative(inner) | Kind::Not(inner) | Kind::OverTime(_, inner) => vec![inner],
            Kind::Binary(_, left, right) => vec![left, right],
            Kind::In(inner, members) => std::iter::once(inner.as_ref()).chain(members).collect(),
            Kind::Call(_, arguments) => arguments.iter().collect(),
        }
    }

    /// Whether a function of what came before in time is part of it.
    pub(crate) fn is_over_time(&self) -> bool {
        matches!(self.kind, Kind::OverTime(..)) || self.children().into_iter().any(Self::is_over_time)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Number(f64),
    Text(Arc<str>),
    Truth(bool),
    /// No value.
    Null,
    Mnemonic(Mnemonic),
    /// `visit V01234001001`.
    Visit(Arc<str>),
    Negative(Box<Node>),
    Not(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Node>),
    Call(Function, Vec<Node>),
    /// A function of what came before in time, of a window of microseconds where it has one.
    OverTime(OverTime, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Operator {
    /// How strongly it binds: what binds more strongly is done first.
    fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide => 6,
            Self::Power => 8,
        }
    }
}

const NOT: u8 = 3;
const NEGATIVE: u8 = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Sqrt,
    Exp,
    Log,
    Log10,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Floor,
    Ceil,
    Round,
    Min,
    Max,
    Clip,
    If,
}

/// Each function, its word, and how many arguments it takes.
const FUNCTIONS: [(&str, Function, Range<usize>); 19] = [
    ("abs", Function::Abs, 1..2),
    ("sqrt", Function::Sqrt, 1..2),
    ("exp", Function::Exp, 1..2),
    ("log", Function::Log, 1..2),
    ("log10", Function::Log10, 1..2),
    ("sin", Function::Sin, 1..2),
    ("cos", Function::Cos, 1..2),
    ("tan", Function::Tan, 1..2),
    ("asin", Function::Asin, 1..2),
    ("acos", Function::Acos, 1..2),
    ("atan", Function::Atan, 1..2),
    ("atan2", Function::Atan2, 2..3),
    ("floor", Function::Floor, 1..2),
    ("ceil", Function::Ceil, 1..2),
    ("round", Function::Round, 1..2),
    ("min", Function::Min, 2..99),
    ("max", Function::Max, 2..99),
    ("clip", Function::Clip, 3..4),
    ("if", Function::If, 3..4),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverTime {
    /// From the sample before.
    Diff,
    /// From the sample before, for each second.
    Rate,
    Mean(i64),
    Median(i64),
    Std(i64),
}

const OVER_TIME: [&str; 5] = ["diff", "rate", "rolling_mean", "rolling_median", "rolling_std"];

/// Names nest; what a person writes nests a few times.
const DEEPEST: usize = 100;

/// The tree of a chain is as deep as the chain is long.
const MOST_OPERATORS: usize = 500;

pub(crate) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    operators: usize,
}

/// Reads a whole expression.
pub(crate) fn parse(text: &str) -> Result<Node> {
    let mut parser = Parser { text, tokens: lex(text)?, at: 0, depth: 0, operators: 0 };
    let root = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(root),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn fault(&self, span: &Range<usize>, message: &str) -> Error {
        fault(self.text, span, message)
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let span = self.span();
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            _ => format!("`{}`", &self.text[span.clone()]),
        };
        self.fault(&span, &format!("expected {wanted}, found {found}"))
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        if is_it {
            self.next();
        }
        is_it
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    /// Whether the next token is this word, in any case.
    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(name) if name.eq_ignore_ascii_case(word))
    }

    fn operator(&self) -> Option<Operator> {
        Some(match self.peek() {
            Token::Symbol(symbol) => match *symbol {
                "=" | "==" => Operator::Equal,
                "!=" | "<>" => Operator::NotEqual,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                "+" => Operator::Add,
                "-" => Operator::Subtract,
                "*" => Operator::Multiply,
                "/" => Operator::Divide,
                "^" => Operator::Power,
                "&&" | "&" => Operator::And,
                "||" | "|" => Operator::Or,
                _ => return None,
            },
            Token::Name(_) if self.is_word("and") => Operator::And,
            Token::Name(_) if self.is_word("or") => Operator::Or,
            _ => return None,
        })
    }

    /// An expression of operators that bind more strongly than `least`.
    fn expression(&mut self, least: u8) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault(&self.span(), "it is nested too deeply"));
        }
        let mut left = self.operand()?;
        loop {
            let is_negated = self.is_word("not")
                && matches!(&self.tokens[self.at + 1].0, Token::Name(name) if name.eq_ignore_ascii_case("in"));
            if (self.is_word("in") || is_negated) && Operator::Equal.strength() > least {
                left = self.membership(left, is_negated)?;
                continue;
            }
            let Some(operator) = self.operator().filter(|operator| operator.strength() > least) else {
                break;
            };
            self.operators += 1;
            if self.operators > MOST_OPERATORS {
                let message = format!(
                    "it has more than {MOST_OPERATORS} operators: use `in (…)`, or lists of intervals"
                );
                return Err(self.fault(&self.span(), &message));
            }
            self.next();
            // A power binds to the right: 2^3^2 is 2^9.
            let strength = operator.strength() - u8::from(operator == Operator::Power);
            let right = self.expression(strength)?;
            let span = left.span.start..right.span.end;
            left = Node { span, kind: Kind::Binary(operator, Box::new(left), Box::new(right)) };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn membership(&mut self, left: Node, is_negated: bool) -> Result<Node> {
        if is_negated {
            self.next();
        }
        self.next();
        self.expect("(")?;
        let mut members = vec![self.expression(0)?];
        while self.eat(",") {
            members.push(self.expression(0)?);
        }
        let end = self.span().end;
        self.expect(")")?;
        let span = left.span.start..end;
        let node = Node { span: span.clone(), kind: Kind::In(Box::new(left), members) };
        Ok(if is_negated { Node { span, kind: Kind::Not(Box::new(node)) } } else { node })
    }

    fn operand(&mut self) -> Result<Node> {
        let span = self.span();
        let start = span.start;
        let wrap = |node: Node, kind: fn(Box<Node>) -> Kind| Node {
            span: start..node.span.end,
            kind: kind(Box::new(node)),
        };
        if self.is_word("not") || matches!(self.peek(), Token::Symbol("!")) {
            self.next();
            return Ok(wrap(self.expression(NOT)?, Kind::Not));
        }
        let token = self.peek().clone();
        if matches!(token, Token::End)
            || matches!(token, Token::Symbol(symbol) if !["-", "+", "("].contains(&symbol))
        {
            return Err(self.unexpected("a mnemonic, a number, a text in quotes, a function or `(`"));
        }
        self.next();
        let kind = match token {
            Token::Number(number) => Kind::Number(number),
            Token::Text(text) => Kind::Text(text.into()),
            Token::Name(name) => return self.named(&name, &span),
            Token::Symbol("-") => return Ok(wrap(self.expression(NEGATIVE)?, Kind::Negative)),
            Token::Symbol("+") => return self.expression(NEGATIVE),
            Token::Symbol(_) | Token::End => {
                let mut inner = self.expression(0)?;
                inner.span = start..self.span().end;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Duration(_) => {
                return Err(self.fault(
                    &span,
                    "a duration is the last argument of a rolling function, and nothing else",
                ));
            }
        };
        Ok(Node { span, kind })
    }

    /// What begins with a name: a function, a truth, a visit or a mnemonic.
    fn named(&mut self, name: &str, span: &Range<usize>) -> Result<Node> {
        if matches!(self.peek(), Token::Symbol("(")) {
            return self.call(name, span);
        }
        let kind = if name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false") {
            Kind::Truth(name.eq_ignore_ascii_case("true"))
        } else if name.eq_ignore_ascii_case("null") {
            Kind::Null
        } else if let (true, Token::Name(visit) | Token::Text(visit)) =
            (name.eq_ignore_ascii_case("visit"), self.peek().clone())
        {
            let end = self.span().end;
            if self.is_word("and") || self.is_word("or") || self.is_word("in") {
                Kind::Mnemonic(Mnemonic::new(name)?)
            } else {
                let Some(visit) = visit_name(&visit) else {
                    let message = "expected a visit as `V01234001001`, or `'1234:1:1'`";
                    return Err(self.fault(&self.span(), message));
                };
                self.next();
                return Ok(Node { span: span.start..end, kind: Kind::Visit(visit.into()) });
            }
        } else {
            let mnemonic =
                Mnemonic::new(name).map_err(|_| self.fault(span, "this name is too long for a mnemonic"))?;
            Kind::Mnemonic(mnemonic)
        };
        Ok(Node { span: span.clone(), kind })
    }

    fn call(&mut self, name: &str, span: &Range<usize>) -> Result<Node> {
        self.next();
        let lower = name.to_ascii_lowercase();
        if OVER_TIME.contains(&lower.as_str()) {
            return self.over_time(&lower, span);
        }
        let Some((_, function, takes)) = FUNCTIONS.iter().find(|(word, ..)| *word == lower).cloned() else {
            let words: Vec<&str> = FUNCTIONS.iter().map(|(word, ..)| *word).chain(OVER_TIME).collect();
            let message = format!("there is no function `{name}`");
            return Err(self.fault(span, &message).with_hint(format!("use {}", words.join(", "))));
        };
        let mut arguments = vec![self.expression(0)?];
        while self.eat(",") {
            arguments.push(self.expression(0)?);
        }
        let whole = span.start..self.span().end;
        self.expect(")")?;
        if !takes.contains(&arguments.len()) {
            let takes =
                if takes.len() == 1 { takes.start.to_string() } else { format!("{} or more", takes.start) };
            let message = format!("`{lower}` takes {takes} arguments, found {}", arguments.len());
            return Err(self.fault(&whole, &message));
        }
        Ok(Node { span: whole, kind: Kind::Call(function, arguments) })
    }

    fn over_time(&mut self, name: &str, span: &Range<usize>) -> Result<Node> {
        let argument = self.expression(0)?;
        let what = if name.starts_with("rolling") {
            self.expect(",")?;
            let window = self.span();
            let Token::Duration(micros @ 1..) = self.next() else {
                let message =
                    format!("`{name}` takes a window as its second argument, as in `{name}(X, 10s)`");
                return Err(self.fault(&window, &message));
            };
            match name {
                "rolling_mean" => OverTime::Mean(micros),
                "rolling_median" => OverTime::Median(micros),
                _ => OverTime::Std(micros),
            }
        } else if name == "diff" {
            OverTime::Diff
        } else {
            OverTime::Rate
        };
        let whole = span.start..self.span().end;
        self.expect(")")?;
        Ok(Node { span: whole, kind: Kind::OverTime(what, Box::new(argument)) })
    }
}

/// What a part is known to be before any sample is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Truth,
    Number,
    Text,
    /// A mnemonic's: number or text.
    Value,
}

fn wrong<T>(text: &str, node: &Node, message: &str) -> Result<T> {
    Err(fault(text, &node.span, message))
}

/// Finds what can be of no type before anything is fetched: `A < 1 < 2`, `not A`, `'ON' + 1`.
pub(crate) fn check(node: &Node, text: &str) -> Result<Type> {
    let truth = |node: &Node| match check(node, text)? {
        Type::Truth => Ok(()),
        _ => wrong(text, node, "expected something true or false, as `A > 1` or `MODE = 'ON'`"),
    };
    let number = |node: &Node| match check(node, text)? {
        Type::Number | Type::Value => Ok(()),
        Type::Truth => wrong(text, node, "expected a number, found something true or false"),
        Type::Text => wrong(text, node, "expected a number, found a text"),
    };
    let value = |node: &Node| match check(node, text)? {
        Type::Truth => wrong(
            text,
            node,
            "expected a number or a text, found something true or false (join comparisons with `and`)",
        ),
        found => Ok(found),
    };
    Ok(match &node.kind {
        Kind::Number(_) => Type::Number,
        Kind::Text(_) => Type::Text,
        Kind::Truth(_) | Kind::Visit(_) => Type::Truth,
        Kind::Mnemonic(_) | Kind::Null => Type::Value,
        Kind::Negative(inner) | Kind::OverTime(_, inner) => {
            number(inner)?;
            Type::Number
        }
        Kind::Not(inner) => {
            truth(inner)?;
            Type::Truth
        }
        Kind::Binary(operator, left, right) => match operator.strength() {
            1 | 2 => {
                truth(left)?;
                truth(right)?;
                Type::Truth
            }
            4 => {
                let types = [value(left)?, value(right)?];
                if types.contains(&Type::Text) && types.contains(&Type::Number) {
                    return wrong(text, node, "a number and a text cannot be compared");
                }
                let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
                if is_order && types.contains(&Type::Text) {
                    return wrong(text, node, "texts have no order: compare them with `=`, `!=` or `in`");
                }
                Type::Truth
            }
            _ => {
                number(left)?;
                number(right)?;
                Type::Number
            }
        },
        Kind::In(inner, members) => {
            value(inner)?;
            members.iter().try_for_each(|member| value(member).map(|_| ()))?;
            Type::Truth
        }
        Kind::Call(Function::If, arguments) => {
            truth(&arguments[0])?;
            let (then, otherwise) = (check(&arguments[1], text)?, check(&arguments[2], text)?);
            match (then, otherwise) {
                (Type::Value, other) | (other, Type::Value) if other != Type::Truth => other,
                (then, otherwise) if then == otherwise => then,
                _ => return wrong(text, node, "both branches of `if` must be of one kind"),
            }
        }
        Kind::Call(_, arguments) => {
            arguments.iter().try_for_each(number)?;
            Type::Number
        }
    })
}
