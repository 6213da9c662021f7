using Voice.Fuzz;
using Xunit;

namespace Voice.Tests;

public class FuzzCorpusTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Kept_inputs_break_no_parser(string target)
    {
        var files = FuzzTargets.Corpus(target).ToArray();
        Assert.NotEmpty(files);
        foreach (var file in files) FuzzTargets.All[target].Run(File.ReadAllBytes(file));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Mutations_of_them_break_none_either(string target)
    {
        var corpus = FuzzTargets.Corpus(target).Select(File.ReadAllBytes).ToArray();
        var mutator = new Mutator(seed: 1);
        for (var i = 0; i < 5_000; i++)
        {
            var input = mutator.Mutate(corpus[i % corpus.Length]);
            try
            {
                FuzzTargets.All[target].Run(input);
            }
            catch (Exception e)
            {
                Assert.Fail($"{Convert.ToHexStringLower(input)}: {e}");
            }
        }
    }
}
