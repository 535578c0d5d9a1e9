-- purpose: The prices behind every cost, per arm and model.
-- tables:  prices
-- columns:
--   arm: Utf8, incumbent or control or candidate
--   model: Utf8, model that is priced
--   input_usd_per_million: Utf8, input price in USD per million tokens as decimal text
--   output_usd_per_million: Utf8, output price in USD per million tokens as decimal text
--   source: Utf8, where the price comes from
-- order:   arm, model
SELECT arm, model, input_usd_per_million, output_usd_per_million, source
FROM prices
ORDER BY arm, model
