#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hallmark_fuzz::ipfs_blocks(data));
