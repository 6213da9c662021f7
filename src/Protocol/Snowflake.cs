using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Voice.Protocol;

/// <summary>A 64-bit id of a user, guild, channel, role or node session, as Discord forms them: milliseconds since
/// 2015-01-01 in the top 42 bits. JSON: read from a string or a number, always written as a string
/// (protocol/gateway.md section 4).</summary>
[JsonConverter(typeof(SnowflakeJsonConverter))]
public readonly record struct Snowflake(ulong Value) : IComparable<Snowflake>, IParsable<Snowflake>
{
    private const long EpochMilliseconds = 1_420_070_400_000;

    public static implicit operator Snowflake(ulong value) => new(value);

    /// <summary>A snowflake made at <paramref name="now"/>; <paramref name="low"/> gives the low 22 bits.</summary>
    public static Snowflake At(DateTimeOffset now, uint low) =>
        new(((ulong)(now.ToUnixTimeMilliseconds() - EpochMilliseconds) << 22) | (low & 0x3FFFFF));

    public static bool TryParse(ReadOnlySpan<char> text, out Snowflake id)
    {
        var ok = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        id = new(value);
        return ok;
    }

    public static bool TryParse(string? s, IFormatProvider? provider, out Snowflake result) => TryParse(s, out result);

    public static Snowflake Parse(string s, IFormatProvider? provider) => TryParse(s, out var id) ? id : throw new FormatException("not a snowflake");

    public int CompareTo(Snowflake other) => Value.CompareTo(other.Value);

    public static bool operator <(Snowflake left, Snowflake right) => left.Value < right.Value;

    public static bool operator >(Snowflake left, Snowflake right) => left.Value > right.Value;

    public static bool operator <=(Snowflake left, Snowflake right) => left.Value <= right.Value;

    public static bool operator >=(Snowflake left, Snowflake right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

internal sealed class SnowflakeJsonConverter : JsonConverter<Snowflake>
{
    public override Snowflake Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out var number)) return new(number);
        if (reader.TokenType == JsonTokenType.String && Snowflake.TryParse(reader.GetString(), out var id)) return id;
        throw new JsonException("not a snowflake");
    }

    public override void Write(Utf8JsonWriter writer, Snowflake value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    public override Snowflake ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Snowflake.TryParse(reader.GetString(), out var id) ? id : throw new JsonException("not a snowflake");

    public override void WriteAsPropertyName(Utf8JsonWriter writer, Snowflake value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());
}

/// <summary>Reads a single id where a list is meant, as some clients send it.</summary>
internal sealed class OneOrMoreSnowflakes : JsonConverter<Snowflake[]>
{
    private static readonly SnowflakeJsonConverter One = new();

    public override Snowflake[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return [One.Read(ref reader, typeof(Snowflake), options)];
        var ids = new List<Snowflake>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) ids.Add(One.Read(ref reader, typeof(Snowflake), options));
        return [.. ids];
    }

    public override void Write(Utf8JsonWriter writer, Snowflake[] value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var id in value) One.Write(writer, id, options);
        writer.WriteEndArray();
    }
}
