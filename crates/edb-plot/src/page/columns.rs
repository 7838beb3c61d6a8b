//! Columns of numbers as text: exact, in as few bytes as plain arrays of the browser allow, in base 64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Times in microseconds, ascending: the first, and steps, in four bytes each if they fit.
pub(super) fn times(times: &[i64]) -> Value {
    let steps: Option<Vec<u32>> =
        times.windows(2).map(|pair| u32::try_from(pair[1] - pair[0]).ok()).collect();
    let first = times.first().copied().unwrap_or(0);
    if let Some(steps) = steps {
        json!({ "as": "steps", "count": times.len(), "first": first, "data": encoded(steps.iter().flat_map(|step| step.to_le_bytes())) })
    } else {
        let offsets = times.iter().flat_map(|time| ((time - first) as f64).to_le_bytes());
        json!({ "as": "offsets", "count": times.len(), "first": first, "data": encoded(offsets) })
    }
}

/// Values: as places in a list of the distinct ones, if these are few, as telemetry's are; or else in four bytes, if all of them are exact
/// in these, or in eight.
pub(super) fn values(values: &[f64]) -> Value {
    let mut distinct: Vec<f64> = values.to_vec();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup_by_key(|value| value.to_bits());
    let count = values.len();
    let place = |value: &f64| distinct.binary_search_by(|other| other.total_cmp(value)).unwrap_or_default();
    let words = || encoded(distinct.iter().flat_map(|value| value.to_le_bytes()));
    if distinct.len() <= 256 {
        let codes = encoded(values.iter().map(|value| place(value) as u8));
        return json!({ "as": "codes8", "count": count, "words": words(), "data": codes });
    }
    let is_single = |value: &f64| f64::from(*value as f32).to_bits() == value.to_bits();
    if values.iter().all(is_single) {
        let data = encoded(values.iter().flat_map(|value| (*value as f32).to_le_bytes()));
        return json!({ "as": "singles", "count": count, "data": data });
    }
    if distinct.len() <= 65_536 && 8 * distinct.len() + 2 * count < 8 * count {
        let codes = encoded(values.iter().flat_map(|value| (place(value) as u16).to_le_bytes()));
        return json!({ "as": "codes16", "count": count, "words": words(), "data": codes });
    }
    json!({ "as": "doubles", "count": count, "data": encoded(values.iter().flat_map(|value| value.to_le_bytes())) })
}

fn encoded(bytes: impl Iterator<Item = u8>) -> String {
    STANDARD.encode(bytes.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        STANDARD.decode(value.as_str().unwrap()).unwrap()
    }

    fn read(column: &Value) -> Vec<f64> {
        let doubles = |bytes: Vec<u8>| {
            bytes.chunks_exact(8).map(|one| f64::from_le_bytes(one.try_into().unwrap())).collect::<Vec<_>>()
        };
        let data = bytes(&column["data"]);
        match column["as"].as_str().unwrap() {
            "codes8" => {
                data.iter().map(|code| doubles(bytes(&column["words"]))[usize::from(*code)]).collect()
            }
            "codes16" => {
                let words = doubles(bytes(&column["words"]));
                data.chunks_exact(2)
                    .map(|code| words[usize::from(u16::from_le_bytes([code[0], code[1]]))])
                    .collect()
            }
            "singles" => data
                .chunks_exact(4)
                .map(|one| f64::from(f32::from_le_bytes(one.try_into().unwrap())))
                .collect(),
            _ => doubles(data),
        }
    }

    #[test]
    fn values_come_back_bit_for_bit_in_every_form() {
        let many: Vec<f64> = (0..3000).map(|at| f64::from(at) * 0.1).collect();
        let repeated: Vec<f64> = (0..9000).map(|at| f64::from(at % 500) * 0.1).collect();
        let single: Vec<f64> = (0..1000).map(|at| f64::from(at) * 0.5).collect();
        for (column, form) in [
            (vec![], "codes8"),
            (vec![0.0, -0.0, 0.1], "codes8"),
            (repeated, "codes16"),
            (single, "singles"),
            (many, "doubles"),
        ] {
            let value = values(&column);
            assert_eq!(value["as"], form);
            let same = |(one, other): (&f64, f64)| one.to_bits() == other.to_bits();
            assert!(
                column.len() == read(&value).len() && column.iter().zip(read(&value)).all(same),
                "{form}"
            );
        }
    }

    #[test]
    fn times_are_steps_unless_one_is_longer_than_an_hour() {
        assert_eq!(times(&[5, 5, 4_294_967_300])["as"], "steps");
        assert_eq!(times(&[5, 4_294_967_301])["as"], "offsets");
        assert_eq!(times(&[])["count"], 0);
    }
}
