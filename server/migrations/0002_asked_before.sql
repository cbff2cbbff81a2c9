-- What a person asked in a knowledge base and found something with, the latest first: it is looked up with every letter
-- that is typed.
CREATE INDEX searches_by_asker ON searches (user_name, knowledge_base, at DESC)
    WHERE relevant = 1 AND user_name IS NOT NULL;
