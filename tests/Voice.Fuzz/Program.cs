using SharpFuzz;
using Voice.Fuzz;

const string Usage = """
    Voice.Fuzz TARGET                 serve libfuzzer-dotnet, after `sharpfuzz Voice.Protocol.dll` instrumented the parsers
    Voice.Fuzz TARGET FILE...         run files, such as the ones a fuzzer found
    Voice.Fuzz TARGET --mutate COUNT [SEED]   run COUNT mutations of the corpus; needs no other tool
    """;

if (args.Length == 0 || !FuzzTargets.All.TryGetValue(args[0], out var target))
{
    Console.Error.WriteLine($"{Usage}\nTargets: {string.Join(' ', FuzzTargets.All.Keys)}");
    return 2;
}

switch (args[1..])
{
    case []:
        Fuzzer.LibFuzzer.Run(target.Run);
        return 0;

    case ["--mutate", var count, .. var seed]:
        var corpus = FuzzTargets.Corpus(args[0]).Select(File.ReadAllBytes).ToArray();
        var mutator = new Mutator(seed is [var s] ? int.Parse(s) : Environment.TickCount);
        for (var i = 0; i < int.Parse(count); i++)
        {
            var input = mutator.Mutate(corpus[i % corpus.Length]);
            try
            {
                target.Run(input);
            }
            catch (Exception e)
            {
                var path = $"crash-{args[0]}-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input))[..16]}";
                File.WriteAllBytes(path, input);
                Console.Error.WriteLine($"{path}: {e}");
                return 1;
            }
        }
        Console.WriteLine($"{args[0]}: {count} inputs, none broke it");
        return 0;

    case var files:
        foreach (var file in files) target.Run(File.ReadAllBytes(file));
        return 0;
}
