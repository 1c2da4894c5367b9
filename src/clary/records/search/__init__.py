"""Search: records by any member of what they are described as, quickly.

    create, update, transition, tags ─▶ queue (a row, in the record's transaction)
                                          │ fold: when writers pause, and before each search
                                          ▼
    Searchable.describe(record) ─▶ attributes ─▶ search_texts, search_numbers (by record; by field and value)
                                          ▲
    Search ─▶ Expression ─▶ sources: which filter has the fewest records?
                              ├─ few: look at those     ┐
                              └─ many: walk along the   ├─▶ positions, in order ─▶ page: load, test, describe
                                 order, testing each    ┘

Indexing a record in its own transaction would write some forty pages for its forty attributes, each time its
status changes. Queued, a change costs one small row, and records that changed many times or were created
together are indexed together. Nothing is lost in between: the queue is as durable as the records, and a search
folds it before it looks. Deleting a record deletes its attributes in the same transaction.
"""
