package sample

func transport() []Dataset { return nil }
func weather() []Dataset   { return nil }
func society() []Dataset   { return nil }
func services() []Dataset  { return nil }
func market() []Dataset    { return nil }
func economy() []Dataset   { return nil }
func district() []Dataset  { return nil }
