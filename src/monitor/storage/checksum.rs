//! CRC-32C, by which a torn or altered piece of a file is told from a whole one.
//!
//! Eight bytes at a time with eight tables: a block of sixteen megabytes is summed while a scrape waits for the store,
//! and byte by byte that would take five times as long.

/// The polynomial of Castagnoli, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

static TABLES: [[u32; 256]; 8] = tables();

/// The checksum of some bytes.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut sum = !0_u32;
    for eight in eights {
        let word = u64::from_le_bytes(*eight) ^ u64::from(sum);
        let parts = word.to_le_bytes().into_iter().zip(TABLES.iter().rev());
        sum = parts.fold(0, |sum, (byte, table)| sum ^ table[usize::from(byte)]);
    }
    for byte in rest {
        let [low, ..] = sum.to_le_bytes();
        sum = (sum >> 8) ^ TABLES[0][usize::from(low ^ byte)];
    }
    !sum
}

/// The first table takes a byte; each further one takes it past one more byte of zeros.
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    let mut start = 0_u32;
    while byte < 256 {
        let mut sum = start;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
        start += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One bit at a time, as the standard has it.
    fn plain(bytes: &[u8]) -> u32 {
        let mut sum = !0_u32;
        for byte in bytes {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            }
        }
        !sum
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(b""), 0);
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for length in 0..100 {
            assert_eq!(checksum(&bytes[..length]), plain(&bytes[..length]));
        }
        assert_eq!(checksum(&bytes), plain(&bytes));
    }
}
