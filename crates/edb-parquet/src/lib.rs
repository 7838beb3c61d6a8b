//! Writes plain columns as Parquet and reads them back: the code that `edb-store` and `edb-export` share.
//!
//! **Does**: choose encodings by column (times delta-coded, values dictionary-coded when they repeat and byte-stream-split
//! when they do not, zstd throughout), write UTC timestamps in microseconds, nulls as nulls, key-value metadata in the
//! footer. **Does not**: know what a mnemonic, a segment or a table is.

mod read;
mod write;

pub use bytes::Bytes;
pub use read::{Contents, OwnedColumn, read, read_metadata};
pub use write::{Column, Data, write};

#[cfg(test)]
mod tests {
    use edb_core::{Nulls, TextColumn};

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
        write(&mut bytes, &columns, &[("key".into(), "value \u{b0}".into())]).unwrap();

        let contents = read(Bytes::from(bytes.clone())).unwrap();
        assert_eq!(contents.rows, 4);
        assert_eq!(contents.metadata["key"], "value \u{b0}");
        assert_eq!(read_metadata(Bytes::from(bytes)).unwrap(), contents.metadata);
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
            write(&mut bytes, &columns, &[]).unwrap();
            let contents = read(Bytes::from(bytes)).unwrap();
            assert!(matches!(&contents.columns[0].1, OwnedColumn::Time(read) if *read == times));
            let OwnedColumn::Real(read) = &contents.columns[1].1 else { panic!() };
            assert_eq!(contents.columns[1].2, nulls);
            assert!(
                (0..read.len()).all(|at| nulls.contains(at) || read[at].to_bits() == values[at].to_bits())
            );
        }
    }

    #[test]
    fn the_same_columns_give_the_same_bytes() {
        let once = || {
            let mut bytes = Vec::new();
            let data = Data::Real(&[1.0, 2.0]);
            write(&mut bytes, &[Column { name: "value", data, nulls: &Nulls::none() }], &[]).unwrap();
            bytes
        };
        assert_eq!(once(), once());
    }

    #[test]
    fn bytes_that_are_no_parquet_are_refused() {
        let error = read(Bytes::from_static(b"theTime,MJD,euvalue,sqldataType\r\n")).unwrap_err();
        assert_eq!(error.kind(), edb_core::ErrorKind::Integrity);
    }
}
