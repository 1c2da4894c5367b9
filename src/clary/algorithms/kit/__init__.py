"""What AWS's own algorithms have in common, so that each is little more than its mathematics.

    hyperparameters.json   ─▶ parameters ─┐
    inputdataconfig.json   ─▶ channels ───┼─▶ Job ─▶ Algorithm.train ─▶ /opt/ml/model ─▶ Algorithm.load ─▶ Model
    files, pipes           ─▶ reading ────┤                                                                  │
    the other instances    ─▶ team ───────┘            request ─▶ formats ─▶ Batch ─▶ Model.predict ─▶ formats ─▶ answer

`base` is the contract; `python -m clary.algorithms <name> train|serve` runs what fulfils it.
"""
