//! Columns in and out: CSV, JSON lines and Parquet.
//!
//! The only module that names `polars` and `csv`. A caller says which columns it wants and how it wants to hold them
//! ([`Want`]); nothing else of the file is kept in memory.

mod blocks;
mod column;
mod csv_file;
mod digest;
mod error;
mod json_lines;
mod parquet;
mod read;
mod write;

pub use blocks::{Block, LONGEST_LINE, Line, for_each_block};
pub use column::{Category, Column, Text};
pub use csv_file::csv_text;
pub use digest::{ShortDigest, hex, sha256_hex, sha256_of_file, short_digest};
pub use error::{TableError, json_reason};
pub use json_lines::for_each_line;
pub use parquet::{Field, Frame, parquet_bytes, read_frame, write_frames};
pub use read::{Table, Want, column_names, read};
pub use write::{AtomicFile, write_atomically};
