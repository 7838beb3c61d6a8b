//! Writes plain columns as Parquet and reads them back: the code that `edb-store` and `edb-export` share.
//!
//! **Does**: choose encodings by measuring them (differences of times, dictionaries of what repeats, byte planes or plain doubles of
//! what does not, zstd throughout), write UTC timestamps in microseconds, nulls as nulls, page indexes, key-value metadata and a
//! checksum of every page; read any rows back at memory speed, and nothing that differs from its checksum. **Does not**: know what
//! a mnemonic, a segment or a table is.
//!
//! Every file is plain Parquet that any engine reads. Headers, footers and indexes are the `parquet` crate's; the bodies of pages are
//! made and read here, in one pass over slices, because that is where the time and the room go (DESIGN.md, D-0029).

mod chunk;
mod column;
mod decode;
mod encode;
mod read;
mod write;

pub use bytes::Bytes;
pub use column::{Column, Contents, Data, Kind, OwnedColumn};
pub use read::{File, TimePage};
pub use write::{Effort, End, Field, GROUP_ROWS, Writer, write};

#[cfg(test)]
mod tests {
    use edb_core::{Nulls, TextColumn};
    use proptest::prelude::*;

    use super::*;

    fn text(words: &[&str]) -> TextColumn {
        let mut column = TextColumn::default();
        words.iter().for_each(|word| column.push(word));
        column
    }

    fn nulls(positions: &[usize]) -> Nulls {
        let mut nulls = Nulls::none();
        positions.iter().for_each(|at| nulls.push(*at));
        nulls
    }

    #[test]
    fn what_is_written_is_read_back_with_nulls_and_metadata() {
        let words = text(&["on", "", "a,\"b\"\nc", "on"]);
        let real = [1.5, f64::NAN, -0.0, f64::INFINITY];
        let integer = [i64::MIN, -1, 0, i64::MAX];
        let some = nulls(&[0, 3]);
        let columns = [
            Column { name: "time", data: Data::Time(&[-1, 0, 0, 7]), nulls: &Nulls::none() },
            Column { name: "real", data: Data::Real(&real), nulls: &Nulls::none() },
            Column { name: "integer", data: Data::Integer(&integer), nulls: &some },
            Column { name: "text", data: Data::Text(&words), nulls: &some },
        ];
        let mut bytes = Vec::new();
        write(&mut bytes, &columns, &[("key".into(), "value \u{b0}".into())], Effort::Quick).unwrap();

        let contents = File::from_bytes(bytes, None).unwrap().contents().unwrap();
        assert_eq!(contents.rows, 4);
        assert_eq!(contents.metadata["key"], "value \u{b0}");
        let column = |name: &str| contents.columns.iter().find(|column| column.0 == name).unwrap();
        assert!(matches!(&column("time").1, OwnedColumn::Time(times) if times == &[-1, 0, 0, 7]));
        let OwnedColumn::Real(values) = &column("real").1 else { panic!() };
        assert!(values.iter().zip(real).all(|(a, b)| a.to_bits() == b.to_bits()));
        let OwnedColumn::Integer(values) = &column("integer").1 else { panic!() };
        assert_eq!((values[1], values[2], &column("integer").2), (-1, 0, &some));
        let OwnedColumn::Text(values) = &column("text").1 else { panic!() };
        assert_eq!((values.word(1).as_ref(), values.word(2).as_ref()), ("", "a,\"b\"\nc"));
        assert_eq!(column("text").2, some);
    }

    #[test]
    fn several_row_groups_and_no_rows_round_trip() {
        for rows in [0_i64, 1, 1 << 20, (1 << 20) + 3] {
            let times: Vec<i64> = (0..rows).collect();
            let values: Vec<f64> = (0..rows).map(|row| (row as f64).sqrt()).collect();
            let mut nulls = Nulls::none();
            (0..rows as usize).step_by(100_000).for_each(|at| nulls.push(at));
            let mut bytes = Vec::new();
            let columns = [
                Column { name: "time", data: Data::Time(&times), nulls: &Nulls::none() },
                Column { name: "value", data: Data::Real(&values), nulls: &nulls },
            ];
            write(&mut bytes, &columns, &[], Effort::Quick).unwrap();
            let contents = File::from_bytes(bytes, None).unwrap().contents().unwrap();
            assert!(matches!(&contents.columns[0].1, OwnedColumn::Time(read) if *read == times));
            let OwnedColumn::Real(read) = &contents.columns[1].1 else { panic!() };
            assert_eq!(contents.columns[1].2, nulls);
            assert!(
                (0..read.len()).all(|at| nulls.contains(at) || read[at].to_bits() == values[at].to_bits())
            );
        }
    }

    #[test]
    fn a_file_that_grows_group_by_group_in_threads_is_the_one_that_is_written_at_once() {
        let times: Vec<i64> = (0..(1 << 20) + 7).collect();
        let values: Vec<f64> = times.iter().map(|time| (*time as f64).sin()).collect();
        let none = Nulls::none();
        let columns = [
            Column { name: "time", data: Data::Time(&times), nulls: &none },
            Column { name: "value", data: Data::Real(&values), nulls: &none },
        ];
        let mut once = Vec::new();
        let end = write(&mut once, &columns, &[], Effort::Quick).unwrap();
        let field = |name: &str, kind, is_required| Field { name: name.to_owned(), kind, is_required };
        let fields = [field("time", Kind::Time, true), field("value", Kind::Real, false)];
        let mut writer =
            Writer::new(Vec::new(), &fields, true, &[], Effort::Quick).unwrap().with_threads(2).unwrap();
        writer.group(&columns, 0..GROUP_ROWS).unwrap();
        writer.group(&columns, GROUP_ROWS..times.len()).unwrap();
        let (grown, same_end) = writer.finish().unwrap();
        assert!(grown == once);
        assert_eq!(end, same_end);

        let some = nulls(&[0]);
        let mut writer = Writer::new(Vec::new(), &fields, true, &[], Effort::Quick).unwrap();
        for wrong in [&columns[..1], &[Column { nulls: &some, ..columns[0] }, columns[1]]] {
            assert_eq!(writer.group(wrong, 0..1).unwrap_err().kind(), edb_core::ErrorKind::Unclassified);
        }
        assert!(writer.group(&columns, 0..times.len() + 1).is_err());
    }

    #[test]
    fn the_same_columns_give_the_same_bytes() {
        let once = || {
            let mut bytes = Vec::new();
            let data = Data::Real(&[1.0, 2.0]);
            write(&mut bytes, &[Column { name: "value", data, nulls: &Nulls::none() }], &[], Effort::Quick)
                .unwrap();
            bytes
        };
        assert_eq!(once(), once());
    }

    #[test]
    fn bytes_that_are_no_parquet_are_refused() {
        let error =
            File::from_bytes(Bytes::from_static(b"theTime,MJD,euvalue,sqldataType\r\n"), None).unwrap_err();
        assert_eq!(error.kind(), edb_core::ErrorKind::Integrity);
    }

    /// Values as telemetry has them, and as it should not: constant, few, many, missing, no numbers.
    fn any_reals() -> impl Strategy<Value = Vec<Option<f64>>> {
        let special = prop_oneof![
            Just(f64::NAN),
            Just(-f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(-0.0),
            Just(0.0)
        ];
        let value = prop_oneof![
            4 => (0_i32..5).prop_map(f64::from),
            2 => any::<f64>(),
            1 => special
        ];
        proptest::collection::vec(proptest::option::weighted(0.9, value), 0..300)
    }

    proptest! {
        #[test]
        fn any_columns_and_any_rows_of_them_are_read_back(
            reals in any_reals(),
            steps in proptest::collection::vec(prop_oneof![Just(256_000_i64), 0..3_i64, any::<i64>()], 300),
            rows in (0_usize..300, 0_usize..300),
            copies in prop_oneof![9 => Just(1_usize), 1 => Just(1000)],
        ) {
            // Many copies make several pages, and more.
            let reals: Vec<_> = reals.iter().cycle().take(reals.len() * copies).copied().collect();
            let nulls_of = |reals: &[Option<f64>]| {
                let mut nulls = Nulls::none();
                reals.iter().enumerate().filter(|(_, value)| value.is_none()).for_each(|(at, _)| nulls.push(at));
                nulls
            };
            let values: Vec<f64> = reals.iter().map(|value| value.unwrap_or(77.0)).collect();
            let steps = steps.iter().cycle().take(reals.len());
            let times: Vec<i64> = steps.scan(0_i64, |time, step| { *time = time.wrapping_add(*step); Some(*time) }).collect();
            let mut words = TextColumn::default();
            values.iter().for_each(|value| words.push(&format!("{value}")));
            let (none, nulls) = (Nulls::none(), nulls_of(&reals));
            let columns = [
                Column { name: "time", data: Data::Time(&times), nulls: &none },
                Column { name: "value", data: Data::Real(&values), nulls: &nulls },
                Column { name: "integer", data: Data::Integer(&times), nulls: &nulls },
                Column { name: "text", data: Data::Text(&words), nulls: &nulls },
                Column { name: "absent", data: Data::Absent(Kind::Real), nulls: &none },
                Column { name: "until", data: Data::Time(&times), nulls: &nulls },
            ];
            let mut bytes = Vec::new();
            let end = write(&mut bytes, &columns, &[], Effort::Quick).unwrap();
            let file = File::from_bytes(bytes, Some(end)).unwrap();
            let (a, b) = (rows.0 * copies % (reals.len() + 1), rows.1 * copies % (reals.len() + 1));
            let rows = a.min(b)..a.max(b);
            let read = |at: usize| {
                let (mut column, mut nulls) = (OwnedColumn::empty(file.columns()[at].1), Nulls::none());
                file.read(at, rows.clone(), &mut column, &mut nulls).unwrap();
                (column, nulls)
            };
            let expected = nulls_of(&reals[rows.clone()]);
            let (column, found) = read(0);
            prop_assert!(matches!(&column, OwnedColumn::Time(read) if *read == times[rows.clone()]) && found.is_empty());
            let (OwnedColumn::Real(column), found) = read(1) else { panic!() };
            prop_assert_eq!(&found, &expected);
            for (at, value) in column.iter().enumerate().filter(|(at, _)| !expected.contains(*at)) {
                prop_assert_eq!(value.to_bits(), values[rows.start + at].to_bits());
            }
            let (OwnedColumn::Integer(column), found) = read(2) else { panic!() };
            prop_assert_eq!(&found, &expected);
            prop_assert!((0..column.len()).all(|at| expected.contains(at) || column[at] == times[rows.start + at]));
            let (OwnedColumn::Text(column), found) = read(3) else { panic!() };
            prop_assert_eq!(&found, &expected);
            prop_assert!((0..rows.len()).all(|at| expected.contains(at) || column.word(at) == words.word(rows.start + at)));
            prop_assert_eq!(read(4).1.positions().len(), rows.len());
            let (OwnedColumn::Time(column), found) = read(5) else { panic!() };
            prop_assert_eq!(&found, &expected);
            prop_assert!((0..column.len()).all(|at| expected.contains(at) || column[at] == times[rows.start + at]));
        }
    }

    #[test]
    fn pages_of_other_times_are_not_read() {
        let times: Vec<i64> = (0..3_000_000).collect();
        let column = Column { name: "time", data: Data::Time(&times), nulls: &Nulls::none() };
        let mut bytes = Vec::new();
        write(&mut bytes, &[column], &[], Effort::Quick).unwrap();
        let file = File::from_bytes(bytes, None).unwrap();
        for (low, high) in [
            (0, 1),
            (131_071, 131_073),
            (1_500_000, 1_500_100),
            (2_999_999, 9_000_000),
            (-5, 0),
            (3_000_000, 3_000_001),
        ] {
            let pages = file.pages_between(low, high);
            assert!(pages.windows(2).all(|pair| pair[0].end == pair[1].start));
            let rows = pages.first().map_or(0..0, |first| first.start..pages[pages.len() - 1].end);
            let inside = low.clamp(0, 3_000_000) as usize..high.clamp(0, 3_000_000) as usize;
            prop_assert_inside(&rows, &inside);
            assert!(rows.len() <= inside.len() + 2 * (1 << 17), "{low}..{high}: {rows:?}");
        }
        assert!(file.pages_between(-5, 0).is_empty() && file.pages_between(3_000_000, 9_000_000).is_empty());
    }

    fn prop_assert_inside(rows: &std::ops::Range<usize>, inside: &std::ops::Range<usize>) {
        assert!(
            inside.is_empty() || rows.start <= inside.start && inside.end <= rows.end,
            "{rows:?} {inside:?}"
        );
    }

    #[test]
    fn bytes_that_nobody_vouches_for_never_panic() {
        let none = Nulls::none();
        let columns = [
            Column { name: "time", data: Data::Time(&[1, 5, 9]), nulls: &none },
            Column { name: "value", data: Data::Real(&[0.1, -7.0, 0.1]), nulls: &none },
        ];
        let mut bytes = Vec::new();
        write(&mut bytes, &columns, &[], Effort::Quick).unwrap();
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut other = bytes.clone();
                other[at] = value;
                let _ = File::from_bytes(other, None).and_then(|file| file.contents());
            }
        }
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let mut words = TextColumn::default();
        ["ON", "OFF", "ON"].iter().for_each(|word| words.push(word));
        let none = Nulls::none();
        let columns = [
            Column { name: "time", data: Data::Time(&[1, 5, 9]), nulls: &none },
            Column { name: "value", data: Data::Real(&[0.1, -7.0, f64::NAN]), nulls: &none },
            Column { name: "text", data: Data::Text(&words), nulls: &none },
        ];
        let mut bytes = Vec::new();
        let end = write(&mut bytes, &columns, &[("key".into(), "value".into())], Effort::Quick).unwrap();
        let is_noticed =
            |bytes: Vec<u8>| File::from_bytes(bytes, Some(end)).and_then(|file| file.contents()).is_err();
        assert!(!is_noticed(bytes.clone()));
        // The first four bytes are the format's mark, which says nothing about these data.
        for at in 4..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(is_noticed(flipped), "bit {bit} of byte {at} of {}", bytes.len());
            }
        }
        for length in 0..bytes.len() {
            assert!(is_noticed(bytes[..length].to_vec()), "cut to {length}");
        }
    }
}
