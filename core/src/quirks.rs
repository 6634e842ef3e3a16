#![doc = include_str!("../QUIRKS.md")]
