"""Commands that look after what is kept and given out: keys to the API, codes of offers."""
