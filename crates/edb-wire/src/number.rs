//! Digits, eight at a time.

/// Eight ASCII digits as a number, the first the most significant; `None` if any byte is no digit.
pub(crate) fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(bytes);
    // A digit is 0x30..=0x39: its high nibble is 3, also after adding 6.
    let high = 0xF0F0_F0F0_F0F0_F0F0;
    let three = 0x3030_3030_3030_3030;
    if word & high != three || word.wrapping_add(0x0606_0606_0606_0606) & high != three {
        return None;
    }
    // Neighbours are joined pairwise: digits to pairs, pairs to fours, fours to eight.
    let pairs = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    Some((fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32)
}

/// Whether all bytes are at least `.` and below 0x80: no comma, quote or line end is among them.
pub(crate) fn is_plain(bytes: [u8; 8]) -> bool {
    let word = u64::from_le_bytes(bytes);
    let high = 0x8080_8080_8080_8080;
    // A byte below `.` borrows and gets its high bit set.
    (word | word.wrapping_sub(0x2E2E_2E2E_2E2E_2E2E)) & high == 0
}

/// A real number in the service's form `[-]digits.10digits` at the start of `bytes`, correctly rounded, and its length;
/// `None` if the text has any other form, or more than five digits before the point.
pub(crate) fn ten_decimals(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = usize::from(*bytes.first()? == b'-');
    let digits = bytes.get(negative..)?;
    let mut whole = u64::from(digit(*digits.first()?)?);
    let mut point = 1;
    while *digits.get(point)? != b'.' {
        if point == 5 {
            return None;
        }
        whole = whole * 10 + u64::from(digit(digits[point])?);
        point += 1;
    }
    let (first, rest) = digits.get(point + 1..)?.split_first_chunk::<8>()?;
    let last = rest.first_chunk::<2>()?;
    let decimals = eight_digits(*first)? * 100 + u64::from(digit(last[0])?) * 10 + u64::from(digit(last[1])?);
    // Both operands are exact (below 2^53, and a power of ten up to 10^22), so the one rounding is the correct one.
    let magnitude = (whole * 10_000_000_000 + decimals) as f64 / 1e10;
    Some((if negative == 1 { -magnitude } else { magnitude }, negative + point + 11))
}

fn digit(byte: u8) -> Option<u8> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_digits_agree_with_the_library(number in 0_u64..100_000_000, at in 0_usize..8, byte: u8) {
            let mut text: [u8; 8] = format!("{number:08}").into_bytes().try_into().unwrap();
            prop_assert_eq!(eight_digits(text), Some(number));
            text[at] = byte;
            let expected = std::str::from_utf8(&text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
            prop_assert_eq!(eight_digits(text), expected.map(|text| text.parse().unwrap()));
        }

        #[test]
        fn plain_bytes_are_those_from_the_point_on(bytes: [u8; 8]) {
            prop_assert_eq!(is_plain(bytes), bytes.iter().all(|byte| (b'.'..0x80).contains(byte)));
        }

        #[test]
        fn ten_decimals_are_correctly_rounded(negative: bool, whole in 0_u64..200_000, decimals in 0_u64..10_000_000_000) {
            let text = format!("{}{whole}.{decimals:010}", if negative { "-" } else { "" });
            let expected: f64 = text.parse().unwrap();
            match ten_decimals(text.as_bytes()) {
                Some((value, length)) => prop_assert_eq!((value.to_bits(), length), (expected.to_bits(), text.len())),
                None => prop_assert!(whole > 99_999),
            }
        }

        #[test]
        fn other_forms_are_left_to_the_library(text in "[-0-9.,e]{0,16}") {
            if let Some((value, length)) = ten_decimals(text.as_bytes()) {
                prop_assert_eq!(value.to_bits(), text[..length].parse::<f64>().unwrap().to_bits());
            }
        }
    }
}
