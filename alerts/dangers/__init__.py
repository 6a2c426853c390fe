"""The ledger of hidden dangers: from the day one is found until it is struck off, and kept after that."""
