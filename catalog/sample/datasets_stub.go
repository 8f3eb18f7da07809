package sample

// Organizations lists the publishers, parents first.
func Organizations() []Organization { return nil }

// Datasets lists the sample datasets.
func Datasets() []Dataset { return nil }
