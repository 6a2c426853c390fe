"""Plans: what to do first about each hazard, in Chinese and English, and the nearest stores, shelters and teams."""
