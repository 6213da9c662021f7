using System.Text.Json;
using System.Text.Json.Serialization;

namespace Voice.Load.Results;

/// <summary>Results as JSON: an array, one object for each.</summary>
public static class ResultFile
{
    public static void Write(string path, IReadOnlyList<BenchResult> results) =>
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(results, ResultJson.Default.IReadOnlyListBenchResult));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<BenchResult>))]
internal sealed partial class ResultJson : JsonSerializerContext;
